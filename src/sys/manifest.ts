import { readFileSync } from 'node:fs';
import { ownPath } from './own-module.ts';

/** What this package says of itself. */
export function manifest(): { readonly version: string; readonly description: string } {
  return JSON.parse(readFileSync(ownPath('package.json'), 'utf8'));
}
