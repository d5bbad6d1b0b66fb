import { fstat, read } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { UserSliceReader } from '../proc-fs/user-slice.ts';
import { memoryRoom } from '../ram-file/memory-room.ts';
import type { RamFile } from '../ram-file/ram-file.ts';
import { EAGAIN, EFBIG, ENOSPC, Errno } from '../sys/errno.ts';
import { lseek, SEEK_CUR } from '../sys/memfd.ts';
import { reason } from '../text/reason.ts';
import { exactSize } from '../text/size.ts';
import { cannotFill, closeSource, SOURCE } from './source.ts';

/** Between two looks at a pipe that somebody made non-blocking, in milliseconds. */
const PAUSE = 5;

/** Called now and then with the bytes so far, and how many there will be, if that is known. */
export type Progress = (bytes: number, total: number | undefined) => void;

/**
 * Fills a file that nobody sees yet from standard input, where takeSource put what `from` names, and lets go of it. What is
 * known not to fit isn't begun. Throws a MountError. No copy of the bytes is left in this process: a stream would make some
 * that nobody can overwrite.
 */
export async function fill(file: RamFile, from: string, progress: Progress): Promise<void> {
  const bytes = file.copySpace();
  let offset = 0;
  try {
    const total = await sizeOfSource();
    if (total !== undefined) checkRoom(file, total);
    for (;;) {
      const count = await readSome(bytes);
      if (count === 0) break;
      writeAll(file, bytes.subarray(0, count), offset);
      offset += count;
      progress(offset, total);
    }
  } catch (error) {
    throw cannotFill(from, full(file, error) ?? reason(error, 'give --from a file'), error);
  } finally {
    bytes.fill(0);
    closeSource();
  }
}

/** How many bytes are to come. Pipes, devices and the files of /proc don't know. */
async function sizeOfSource(): Promise<number | undefined> {
  const stat = await promisify(fstat)(SOURCE);
  return stat.isFile() && stat.size > 0 ? Math.max(0, stat.size - lseek(SOURCE, 0, SEEK_CUR)) : undefined;
}

/** Throws the rest of a sentence when so many bytes don't fit. */
function checkRoom(file: RamFile, total: number): void {
  const { max, size } = file.pages;
  if (total > max * size) {
    throw new Error(
      `it has ${exactSize(total)}, and --max-size allows ${exactSize(max * size)}; raise --max-size`,
    );
  }
  const room = memoryRoom();
  if (total > room) {
    throw new Error(
      `it has ${exactSize(total)}, and this machine or control group has memory for ${exactSize(room)}; free some`,
    );
  }
}

/** Reads what there is, and waits if there is nothing yet. Returns how many bytes, 0 at the end. */
async function readSome(bytes: Uint8Array): Promise<number> {
  for (;;) {
    try {
      const { bytesRead } = await promisify(read)(SOURCE, bytes, 0, bytes.length, null);
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

/** The rest of a sentence, when an error says that there is no more room. */
function full(file: RamFile, error: unknown): string | undefined {
  if (!(error instanceof Errno && (error.errno === ENOSPC || error.errno === EFBIG))) return undefined;
  const { used, max, size } = file.pages;
  return error.errno === ENOSPC && used < max
    ? `more than this machine or control group has memory for, after ${exactSize(used * size)}; free some`
    : `more than --max-size allows, ${exactSize(max * size)}; raise it`;
}
