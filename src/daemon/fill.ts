import { fstat, read } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { UserSliceReader } from '../proc-fs/user-slice.ts';
import { dataEnd, dataFrom } from '../ram-file/extents.ts';
import { memoryRoom } from '../ram-file/memory-room.ts';
import type { RamFile } from '../ram-file/ram-file.ts';
import { EAGAIN, EFBIG, ENOSPC, Errno } from '../sys/errno.ts';
import { lseek, SEEK_CUR, SEEK_SET } from '../sys/memfd.ts';
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
    const source = await regularSource();
    if (source !== undefined) checkRoom(file, source.data);
    let end = 0;
    for (;;) {
      // Holes stay holes.
      if (source !== undefined && offset >= end) ({ offset, end } = nextRun(source, offset));
      const count = await readSome(source === undefined ? bytes : bytes.subarray(0, end - offset));
      if (count === 0) break;
      writeAll(file, bytes.subarray(0, count), offset);
      offset += count;
      progress(offset, source?.total);
    }
    if (offset > file.getattr().size) file.truncate(offset);
  } catch (error) {
    throw cannotFill(from, full(file, error) ?? reason(error, 'give the path of a file'), error);
  } finally {
    bytes.fill(0);
    closeSource();
  }
}

/** A regular file from where it is to be read on. Sizes are bytes; pipes, devices and the files of /proc don't know theirs. */
interface RegularSource {
  readonly start: number;
  /** How many come, and how many of these are no holes, at most. */
  readonly total: number;
  readonly data: number;
}

async function regularSource(): Promise<RegularSource | undefined> {
  const stat = await promisify(fstat)(SOURCE);
  const { size, blocks } = stat;
  if (!stat.isFile() || size === 0) return undefined;
  const start = lseek(SOURCE, 0, SEEK_CUR);
  const total = Math.max(0, size - start);
  return { start, total, data: Math.min(total, blocks * 512) };
}

/** Goes to the next data from `offset` on. Returns where it begins and ends; without more, where the source ends. */
function nextRun({ start, total }: RegularSource, offset: number): { offset: number; end: number } {
  const from = dataFrom(SOURCE, start + offset);
  if (from === Number.POSITIVE_INFINITY)
    return { offset: Math.max(offset, total), end: Math.max(offset, total) };
  const end = dataEnd(SOURCE, from);
  lseek(SOURCE, from, SEEK_SET);
  return { offset: from - start, end: end - start };
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
