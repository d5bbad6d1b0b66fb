import { closeSync, fstatSync, readSync } from 'node:fs';
import { duplicate, replace } from './descriptor.ts';
import { MFD_CLOEXEC, memfdCreate } from './memfd.ts';

const STDERR = 2;

/**
 * Calls `call` and returns what C code of this process, and the programs that it started, wrote to standard error
 * meanwhile. Another thread's words in that time are among them.
 */
export function captureStderr(call: () => void): string {
  const memory = memfdCreate('stderr', MFD_CLOEXEC);
  const stderr = duplicate(STDERR);
  try {
    replace(memory, STDERR);
    try {
      call();
    } finally {
      replace(stderr, STDERR);
    }
    const bytes = Buffer.alloc(fstatSync(memory).size);
    readSync(memory, bytes, 0, bytes.length, 0);
    return bytes.toString();
  } finally {
    closeSync(stderr);
    closeSync(memory);
  }
}
