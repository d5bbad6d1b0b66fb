import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDir } from './run.ts';

/** An authority of a test's own, and what it has signed for localhost: paths of PEM files. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function makeCertificates(): Certificates {
  const dir = makeDir('certificates');
  const path = (name: string) => join(dir, name);
  const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'ignore' });
  const authority = ['-keyout', path('ca-key.pem'), '-out', path('ca.pem')];
  openssl('req', '-x509', ...KEY, ...authority, '-days', '2', '-subj', '/CN=an authority');
  openssl('req', ...KEY, '-keyout', path('key.pem'), '-out', path('request.pem'), '-subj', '/CN=localhost');
  writeFileSync(path('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  openssl(
    ...['x509', '-req', '-in', path('request.pem'), '-out', path('cert.pem'), '-days', '2'],
    ...['-CA', path('ca.pem'), '-CAkey', path('ca-key.pem'), '-CAcreateserial', '-extfile', path('names')],
  );
  return { ca: path('ca.pem'), cert: path('cert.pem'), key: path('key.pem') };
}
