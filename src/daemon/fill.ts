import { fstat, read, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { UserSliceReader } from '../proc-fs/user-slice.ts';
import type { RamFile } from '../ram-file/ram-file.ts';
import { EAGAIN, EFBIG, ENOSPC, Errno } from '../sys/errno.ts';
import { quote } from '../text/quote.ts';

const STDIN = 0;

/** Between two looks at a pipe that somebody made non-blocking, in milliseconds. */
const PAUSE = 5;

/** Called now and then with the bytes so far, and how many there will be, if that is known. */
export type Progress = (bytes: number, total: number | undefined) => void;

/**
 * Fills a file that nobody sees yet from `source`: a path, or `-` for standard input. Throws one sentence. No copy of the
 * bytes is left in this process: a stream would make some that nobody can overwrite.
 */
export async function fill(file: RamFile, source: string, progress: Progress): Promise<void> {
  const name = source === '-' ? 'standard input' : quote(source);
  const bytes = file.copySpace();
  let offset = 0;
  try {
    await using opened = source === '-' ? undefined : await open(source);
    const fd = opened?.fd ?? STDIN;
    const total = sizeOf(await promisify(fstat)(fd));
    for (;;) {
      const count = await readSome(fd, bytes);
      if (count === 0) break;
      writeAll(file, bytes.subarray(0, count), offset);
      offset += count;
      progress(offset, total);
    }
  } catch (error) {
    const full = error instanceof Errno && (error.errno === ENOSPC || error.errno === EFBIG);
    const { used, max } = file.pages;
    const noMemory = full && error.errno === ENOSPC && used < max;
    const limit = noMemory ? 'this machine or control group has memory for' : '--max-size';
    const reason = full ? `more than ${limit} after ${offset} bytes; raise it` : message(error);
    throw new Error(`Cannot fill the file from ${name}: ${reason}.`, { cause: error });
  } finally {
    bytes.fill(0);
  }
}

/** Pipes and devices don't know how much will come. */
function sizeOf(stat: Stats): number | undefined {
  return stat.isFile() && stat.size > 0 ? stat.size : undefined;
}

/** Reads what there is, and waits if there is nothing yet. Returns how many bytes, 0 at the end. */
async function readSome(fd: number, bytes: Uint8Array): Promise<number> {
  for (;;) {
    try {
      const { bytesRead } = await promisify(read)(fd, bytes, 0, bytes.length, null);
      return bytesRead;
    } catch (error) {
      const errno = Errno.from(error);
      if (!(errno instanceof Errno && errno.errno === EAGAIN)) throw error;
      await sleep(PAUSE);
    }
  }
}

/** Writes a chunk, however short the single writes are. */
function writeAll(file: RamFile, chunk: Uint8Array, offset: number): void {
  const from = new UserSliceReader().place(chunk, 0, chunk.length);
  while (from.left > 0) file.write(null, from, offset + from.transferred);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
