import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  fallocate,
} from '../../src/sys/memfd.ts';
import { MNT_DETACH, mount, umount2 } from '../../src/sys/mount.ts';
import { done } from './answer.ts';
import { type Calls, calls } from './calls/index.ts';
import { makeDir } from './run.ts';

/** The calls of a client on tmpfs, which has no ZERO_RANGE: what it would be in terms of what tmpfs has. */
export const tmpfsCalls: Calls = {
  ...calls,
  fallocate(fd, mode, offset, length) {
    const keepSize = mode & FALLOC_FL_KEEP_SIZE;
    if ((mode & ~FALLOC_FL_KEEP_SIZE) !== FALLOC_FL_ZERO_RANGE)
      return calls.fallocate(fd, mode, offset, length);
    return done(() => {
      // Allocated first, so that a range that doesn't fit is refused with its data still there.
      fallocate(fd, keepSize, offset, length);
      fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
      fallocate(fd, keepSize, offset, length);
    });
  },
};

/** A tmpfs of its own, to compare with. Disposing it unmounts it. */
export class Tmpfs implements Disposable {
  readonly dir = makeDir('tmpfs');

  /** `size` is the most memory that its files may take, in bytes or as tmpfs(5) has it. */
  constructor(size: number | string) {
    mount('ramproc-test', this.dir, 'tmpfs', 0, `size=${size}`);
  }

  [Symbol.dispose](): void {
    umount2(this.dir, MNT_DETACH);
  }
}
