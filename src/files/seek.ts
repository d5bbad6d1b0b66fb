import type { ProcFile } from '../proc-fs/handler.ts';
import { Whence } from '../proc-fs/whence.ts';
import { EINVAL, ENXIO, Errno } from '../sys/errno.ts';

/** What is made while it is read has no end to seek from, and no holes. Source: seq_lseek, fs/seq_file.c. */
export function seqLseek(file: ProcFile, offset: number, whence: Whence): number {
  if (whence !== Whence.SeekSet && whence !== Whence.SeekCur) throw new Errno(EINVAL);
  return position(file, offset, whence);
}

/** Of a file whose size is said to be 0. Source: default_llseek, fs/read_write.c. */
export function defaultLseek(file: ProcFile, offset: number, whence: Whence): number {
  if (whence === Whence.SeekData || whence === Whence.SeekHole) throw new Errno(ENXIO);
  return position(file, offset, whence);
}

function position(file: ProcFile, offset: number, whence: Whence): number {
  const position = whence === Whence.SeekCur ? file.pos + offset : offset;
  if (position < 0) throw new Errno(EINVAL);
  return position;
}
