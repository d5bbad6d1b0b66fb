import type { ProcDirEntry } from '../../src/proc-fs/entries/entry.ts';
import { procCreate, procMkdir } from '../../src/proc-fs/entries/proc-create.ts';
import type { ProcFile, ProcHandler } from '../../src/proc-fs/handler.ts';
import { ProcOps } from '../../src/proc-fs/proc-ops.ts';
import type { UserSliceReader, UserSliceWriter } from '../../src/proc-fs/user-slice.ts';

/** Adds a directory to a tree, with a file whose handler believes nothing. It runs on the session's thread. */
export function addProbe(root: ProcDirEntry): void {
  procCreate('probe', 0o666, procMkdir('below', 0o555, root), new ProcOps(probe));
}

function whole(...numbers: number[]): void {
  for (const number of numbers) {
    if (number >= 0 && Number.isSafeInteger(number)) continue;
    throw new RangeError(`A handler was called with ${number}.`);
  }
}

/** What a handler may touch must lie in the message, and be as long as it is said to be. */
function within({ bytes, start, length }: UserSliceReader | UserSliceWriter): void {
  if (start >= 0 && length >= 0 && start + length <= bytes.length) return;
  throw new RangeError(`A handler was given ${length} bytes from ${start} of a message of ${bytes.length}.`);
}

/** A handler with all members, each of which checks what it is given as far as it was promised. */
export const probe: ProcHandler = {
  open: (file: ProcFile) => whole(file.flags, file.uid),
  release: (file) => whole(file.flags),
  read(_file, to, offset) {
    whole(offset, offset + to.length);
    within(to);
    to.write(new Uint8Array(to.length).fill(offset));
    return to.transferred;
  },
  write(_file, from, offset) {
    whole(offset, offset + from.length);
    within(from);
    return from.readAll().length;
  },
  lseek(file, offset, whence) {
    whole(Math.abs(offset), whence);
    return whence === 1 ? file.pos : Math.abs(offset);
  },
  poll: () => 1,
  ioctl(_file, command, input, output) {
    whole(command);
    within(input);
    within(output);
    // What comes in goes out, so that a byte from elsewhere is seen.
    const bytes = input.readAll();
    output.write(bytes.subarray(0, output.length));
    return 0;
  },
  truncate: (size) => whole(size),
  fallocate: (_file, mode, offset, length) => whole(mode, offset, length, offset + length),
  fsync: () => {},
  copyFileRange(from, to, length) {
    whole(from, to, length, from + length, to + length);
    return Math.min(length, 4096);
  },
};
