import { createHash } from 'node:crypto';

/*
 * How a file lies in an engine. All of its keys have the name that the user gave it in braces, so that a cluster keeps them in one
 * slot, and one script can work on all of them.
 *
 * - `ramproc:{jobs}`: a hash, what is known of the file: see `attributes`.
 * - `ramproc:{jobs}:7`: a hash, one MiB of the file. A page of 4096 bytes is a field, named by its number within that MiB as a
 *   character (UTF-8); no field is a hole, and an empty one a page that fallocate(2) reserved.
 * - `ramproc:{jobs}:chunks`: a sorted set, the numbers of the MiBs that are there, so that SEEK_DATA finds the next one.
 * - `ramproc:{jobs}:client:ID`: a hash of one mount: under `epoch` which of its connections may change the file, and under one byte each
 *   what its last 256 changes answered, so that one which is tried again is done once.
 * - `ramproc:{jobs}:gate:0`: a MiB within a transaction that writes whole pages, and never after it.
 * - `ramproc:{jobs}:sessions`: a hash, who has the file mounted, and until when they are taken for alive.
 * - `ramproc:{jobs}:locks`: the locks of all mounts, in JSON.
 *
 * Channels: `ramproc:{jobs}:changed`, with the ID of the mount that changed the file, and `ramproc:{jobs}:unlocked`.
 */

/** The number of this layout, which a file's generation begins with: one of another number is somebody else's. */
export const LAYOUT = 2;

export const PREFIX = 'ramproc:{';

/** The file's own key, with which the names of all its other keys begin. */
export function keyOf(name: string): string {
  return `${PREFIX}${name}}`;
}

export const PAGE_SIZE = 4096;
export const PAGES_PER_CHUNK = 256;

/** The number of the page that an offset lies in. */
export function pageOf(offset: number): number {
  return Math.floor(offset / PAGE_SIZE);
}

/** The number of the MiB that a page lies in. */
export function chunkOf(page: number): number {
  return Math.floor(page / PAGES_PER_CHUNK);
}

/** The key of the MiB that a page lies in. */
export function chunkKey(key: string, page: number): string {
  return `${key}:${chunkOf(page)}`;
}

/** What a page is called within its MiB. */
export function fieldOf(page: number): string {
  return String.fromCharCode(page % PAGES_PER_CHUNK);
}

/** The name that `keyOf` made a key of, or undefined for any other key. */
export function nameOf(key: string): string | undefined {
  return key.match(/^ramproc:\{([^{}]+)\}$/)?.[1];
}

/** A script that the engine runs, by the name that EVALSHA knows it by. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

export function script(...parts: readonly string[]): Script {
  const text = parts.join('\n');
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
