import { message } from '../text/message.ts';
import { codeOf, reason } from '../text/reason.ts';
import { type Address, addressText } from './address.ts';
import { type Login, SilentEngine } from './client.ts';
import { EngineError } from './wire.ts';

/** What went wrong with an engine, as an Error with a sentence. */
export function sentenceOf({ address }: Login, error: unknown): Error {
  if (error instanceof Error && error.message.startsWith('Cannot use ')) return error;
  return new Error(`Cannot use ${addressText(address)}: ${whyNot(error, address)}.`, { cause: error });
}

/** Source: "X509 certificate error codes" in the documentation of Node's tls. */
const UNTRUSTED = /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|ERROR_IN_CERT|INVALID_CA)/;

const SHOW = 'name yours, as in rediss://HOST?cert=FILE&key=FILE';

/** What TLS has against it. */
function trust(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (UNTRUSTED.test(code)) {
    return `its certificate is not to be trusted (${code}); name the authority that signed it, as in rediss://HOST?ca=FILE`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `its certificate is for another host (${message(error).replace(/\.$/, '')}); take a name that it is for`;
  }
  if (code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED') return `it wants a certificate; ${SHOW}`;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'it does not speak TLS; take redis://';
  return undefined;
}

/** What it may mean that a first connection was closed at once, or nothing was said: one that wants a certificate says so, but is gone before that is read, as a rule. */
function unlike(error: unknown, { kind, tls, cert, places }: Address): string | undefined {
  if (error instanceof SilentEngine && tls) return `${error.message}, or does not speak TLS, as by redis://`;
  const isClosed =
    ['ECONNRESET', 'EPIPE'].includes(codeOf(error) ?? '') || /\bclosed\b/i.test(message(error));
  if (!isClosed || kind === 'sentinel' || places.some((place) => 'path' in place)) return undefined;
  if (!tls) return 'it closed the connection, as one does that speaks TLS; if it does, take rediss://';
  if (cert !== undefined) return undefined;
  return `it closed the connection, as one does that wants a certificate; ${SHOW}`;
}

/** Why an engine can't be used, with the remedy, as the rest of a sentence. `at`: when it was connected to for the first time. */
export function whyNot(error: unknown, at?: Address): string {
  if (!(error instanceof EngineError)) {
    return trust(error) ?? (at && unlike(error, at)) ?? reason(error, 'start it, or correct the URL');
  }
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
