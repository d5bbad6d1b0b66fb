import {
  type Attr,
  type Mount,
  mount,
  type Placement,
  ProcDirEntry,
  type ProcHandler,
  ProcOps,
  procCreate,
  type TreeMountOptions,
} from 'ramproc';
import { MNT_DETACH, MNT_FORCE, umount2 } from '../../../src/sys/mount.ts';
import { mountAt } from '../../../src/sys/mountinfo.ts';
import { makeDir } from '../../support/run.ts';

/**
 * A tree that this very process serves, so that a test's handlers are its own closures. System calls on it must be made
 * by another process, such as a Client: made here, they would wait for the thread that they block.
 */
export class Tree implements AsyncDisposable {
  readonly root: ProcDirEntry;
  readonly mount: Mount;

  /** Mounts a directory with a file for each handler. One worker starts sooner than two. */
  static async mount(
    handlers: Readonly<Record<string, ProcHandler>>,
    { placement, threads = 1, ...options }: TreeMountOptions & { placement?: Placement } = {},
  ): Promise<Tree> {
    const root = ProcDirEntry.root();
    for (const [name, handler] of Object.entries(handlers)) {
      procCreate(name, 0o666, root, new ProcOps(handler, placement));
    }
    return Tree.of(root, { ...options, threads });
  }

  /** Mounts one that is there already. */
  static async of(root: ProcDirEntry, options: TreeMountOptions): Promise<Tree> {
    return new Tree(root, await mount(root, makeDir('tree'), options));
  }

  private constructor(root: ProcDirEntry, mount: Mount) {
    this.root = root;
    this.mount = mount;
  }

  get dir(): string {
    return this.mount.dir;
  }

  /** The path of a file in it. */
  path(name: string): string {
    return `${this.dir}/${name}`;
  }

  /** Cuts the connection, so that a client that holds a file, or waits for a handler, can't keep the test. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (mountAt(this.dir) !== undefined) umount2(this.dir, MNT_FORCE | MNT_DETACH);
    await this.mount.closed;
  }
}

const EPOCH = { sec: 0, nsec: 0 };

/** The attributes of a file of `size` bytes; without them it has none, and the kernel reads nothing in a cached one. */
export function attrOf(size: number): Attr {
  const times = { atime: EPOCH, mtime: EPOCH, ctime: EPOCH };
  return { mode: 0o666, uid: 0, gid: 0, size, blocks: Math.ceil(size / 512), blksize: 4096, ...times };
}

/** A handler's `read` for a file that holds `bytes`. */
export function readOf(bytes: () => Uint8Array): NonNullable<ProcHandler['read']> {
  return (_file, to, offset) => {
    const part = bytes().subarray(offset, offset + to.length);
    to.write(part);
    return part.length;
  };
}
