import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EBUSY } from './errno.ts';
import { libcFunction } from './libc.ts';

/** Between two looks at a thread that is about to end, in milliseconds. */
const PAUSE = 5;

/** Source: pthread_tryjoin_np(3). Returns an error number: EBUSY while the thread runs. */
const tryJoin = libcFunction<[thread: number, result: null]>('pthread_tryjoin_np', 'int', [
  'uintptr_t',
  'void *',
]);

/** Resolves when a thread that isn't one of Node's has ended. `thread` is its pthread_t; nobody else may join it. */
export async function join(thread: number): Promise<void> {
  while (tryJoin(thread, null) === EBUSY) await sleep(PAUSE);
}

/** The kernel's number of the calling thread. Source: proc_thread-self(5). */
export function threadNumber(): number {
  return Number(basename(readlinkSync('/proc/thread-self')));
}
