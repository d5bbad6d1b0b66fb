import { createReadStream, type ReadStream, type Stats, statSync } from 'node:fs';
import { ENOSPC, Errno } from '../abi/errno.ts';
import { UserSliceReader } from '../proc-fs/user-slice.ts';
import type { RamFile } from '../ram-file/ram-file.ts';
import { quote } from '../transport/mount.ts';

const CHUNK = 1 << 20;

/** Called now and then with the bytes so far, and how many there will be, if that is known. */
export type Progress = (bytes: number, total: number | undefined) => void;

/** Fills a file that nobody sees yet from `source`: a path, or `-` for standard input. Throws one sentence. */
export async function fill(file: RamFile, source: string, progress: Progress): Promise<void> {
  const name = source === '-' ? 'standard input' : quote(source);
  let offset = 0;
  try {
    const { stream, total } = open(source);
    for await (const chunk of stream) {
      offset = writeAll(file, chunk, offset);
      progress(offset, total);
    }
  } catch (error) {
    const full = error instanceof Errno && error.errno === ENOSPC;
    const { used, max } = file.pages;
    const limit = used < max ? 'this machine or control group has memory for' : '--max-size';
    const reason = full ? `more than ${limit} after ${offset} bytes; raise it` : message(error);
    throw new Error(`Cannot fill the file from ${name}: ${reason}.`, { cause: error });
  }
}

function open(source: string): { stream: ReadStream | typeof process.stdin; total: number | undefined } {
  if (source === '-') return { stream: process.stdin, total: sizeOf(statSync('/dev/stdin')) };
  const total = sizeOf(statSync(source));
  return { stream: createReadStream(source, { highWaterMark: CHUNK }), total };
}

/** Pipes and devices don't know how much will come. */
function sizeOf(stat: Stats): number | undefined {
  return stat.isFile() && stat.size > 0 ? stat.size : undefined;
}

/** Writes a chunk, however short the single writes are. Returns the offset behind it. */
function writeAll(file: RamFile, chunk: Uint8Array, offset: number): number {
  const from = new UserSliceReader().place(chunk, 0, chunk.length);
  while (from.length > 0) file.write(null, from, offset + from.transferred);
  return offset + chunk.length;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
