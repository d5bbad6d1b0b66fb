/** Files of your own as a client sees them, for tests: without a mount, privileges or /dev/fuse. */

export type { TestCaller } from './testing/caller.ts';
export { openEntry } from './testing/open-entry.ts';
export type { TestFile } from './testing/test-file.ts';
