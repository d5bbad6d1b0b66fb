import { readFileSync } from 'node:fs';

/** What this package says of itself. */
export const manifest: { readonly version: string; readonly description: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);
