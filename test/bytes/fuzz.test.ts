import { expect, test } from 'vitest';
import { Opcode } from '../../src/abi/fuse.ts';
import { hunt } from './hunt.ts';

const COUNT = 100_000;

/** What never succeeds (the tree is only its program's to change, and its kernel keeps the locks), or has no reply. */
const unserved = new Set<number>([
  Opcode.FORGET,
  Opcode.BATCH_FORGET,
  Opcode.INTERRUPT,
  Opcode.INIT,
  Opcode.DESTROY,
  Opcode.FLUSH,
  Opcode.GETLK,
  Opcode.SETLK,
  Opcode.SETLKW,
  Opcode.READLINK,
  Opcode.TMPFILE,
  Opcode.CREATE,
  Opcode.MKNOD,
  Opcode.MKDIR,
  Opcode.SYMLINK,
  Opcode.LINK,
  Opcode.UNLINK,
  Opcode.RMDIR,
  Opcode.RENAME,
  Opcode.RENAME2,
]);

/** What is ENOSYS, so that the kernel does without. */
const unknown = new Set<number>([
  Opcode.SETXATTR,
  Opcode.GETXATTR,
  Opcode.REMOVEXATTR,
  Opcode.ACCESS,
  Opcode.BMAP,
  Opcode.NOTIFY_REPLY,
  Opcode.READDIRPLUS,
  Opcode.SETUPMAPPING,
  Opcode.REMOVEMAPPING,
  Opcode.SYNCFS,
  Opcode.STATX,
  Opcode.COPY_FILE_RANGE_64,
]);

test(`${COUNT} hostile requests are each answered or ignored as the protocol says, and good ones still served`, async () => {
  const served = await hunt(1, COUNT);
  // Hostile as they are, enough of them reach each operation.
  const reached = [...served].filter(([, times]) => times > 100).map(([opcode]) => opcode);
  expect(reached.sort()).toEqual(
    Object.values(Opcode)
      .filter((opcode) => !unserved.has(opcode) && !unknown.has(opcode))
      .sort(),
  );
});
