import { ownRequire } from './own-module.ts';

/** What this package says of itself. */
export function manifest(): { readonly version: string; readonly description: string } {
  return ownRequire()('ramproc/package.json');
}
