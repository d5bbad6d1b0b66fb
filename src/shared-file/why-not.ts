import { message } from '../text/message.ts';
import { reason } from '../text/reason.ts';
import { addressText } from './address.ts';
import { EngineError, type Login } from './client.ts';

/** What went wrong with an engine, as an Error with a sentence. */
export function sentenceOf({ address }: Login, error: unknown): Error {
  if (error instanceof Error && error.message.startsWith('Cannot use ')) return error;
  return new Error(`Cannot use ${addressText(address)}: ${whyNot(error)}.`, { cause: error });
}

/** Source: "X509 certificate error codes" in the documentation of Node's tls. */
const UNTRUSTED = /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|ERROR_IN_CERT|INVALID_CA)/;

/** What TLS has against it. */
function trust(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (UNTRUSTED.test(code)) {
    return `its certificate is not to be trusted (${code}); name the authority that signed it, as in rediss://HOST?ca=FILE`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `its certificate is for another host (${message(error).replace(/\.$/, '')}); take a name that it is for`;
  }
  if (code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')
    return 'it wants a certificate; name yours, as in rediss://HOST?cert=FILE&key=FILE';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'it does not speak TLS; take redis://';
  return undefined;
}

/** Why an engine can't be used, with the remedy, as the rest of a sentence. */
export function whyNot(error: unknown): string {
  if (!(error instanceof EngineError)) return trust(error) ?? reason(error, 'start it, or correct the URL');
  switch (error.code) {
    case 'WRONGPASS':
      return 'it knows no such user and password; give the right ones by --password-file, RAMPROC_PASSWORD or the URL';
    case 'NOAUTH':
      return 'it wants a password; give it by --password-file, RAMPROC_PASSWORD or the URL';
    case 'NOPERM':
      return `its user may not do what is needed (${error.rest}); allow it by ACL SETUSER: +@all ~ramproc:* &ramproc:*`;
    case 'ASK':
    case 'TRYAGAIN':
    case 'CLUSTERDOWN':
      return `its cluster is about to be changed, or lacks a node (${error.message}); try again later`;
    case 'RAMPROC':
      return /^FOREIGN/.test(error.rest)
        ? 'it has something else under the name of the file; take another --key'
        : `its file is of another version of ramproc (${error.rest}); use that one, or take another --key`;
    case 'ERR':
      return /AUTH.*without any password/.test(error.rest)
        ? 'it has no password, and one was given; leave it away'
        : error.rest;
    default:
      return error.message;
  }
}
