import { MNT_DETACH, mount, umount2 } from '../../src/sys/mount.ts';
import { makeDir } from './run.ts';

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
