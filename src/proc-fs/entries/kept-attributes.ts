import { type Timespec, UTIME_NOW } from '../../sys/time.ts';
import type { Attr, AttrChange } from '../handler.ts';
import { changeError } from '../proc-ops.ts';

function now(): Timespec {
  const ms = Date.now();
  return { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1_000_000 };
}

/** The attributes of who has no `getattr`: as made or changed since. The kernel's `struct proc_dir_entry` has them too. */
export class KeptAttributes {
  #attr: Attr;

  constructor(mode: number) {
    const created = now();
    this.#attr = {
      mode: mode & 0o7777,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      size: 0,
      blocks: 0,
      blksize: 4096,
      atime: created,
      mtime: created,
      ctime: created,
    };
  }

  get(): Attr {
    return { ...this.#attr };
  }

  /** chmod(2), chown(2) and utimensat(2): 0, or a negative error number. */
  change(change: AttrChange): number {
    const wrong = changeError(change);
    if (wrong !== 0) return wrong;
    const present = now();
    const { atime, mtime, ...rest } = change;
    Object.assign(this.#attr, rest, { ctime: present });
    if (atime !== undefined) this.#attr.atime = atime.nsec === UTIME_NOW ? present : atime;
    if (mtime !== undefined) this.#attr.mtime = mtime.nsec === UTIME_NOW ? present : mtime;
    return 0;
  }

  /** Throws a RangeError. */
  setUser(uid: number, gid: number): void {
    if (this.change({ uid, gid }) !== 0)
      throw new RangeError(`${uid} and ${gid} are no user and group: 0 to 2^32 - 1.`);
  }

  /** Throws a RangeError. */
  setSize(size: number): void {
    if (!(Number.isSafeInteger(size) && size >= 0))
      throw new RangeError(`${size} is no size: 0 to 2^53 - 1.`);
    this.#attr.size = size;
  }

  /** What is listed in it has changed. */
  touch(): void {
    this.#attr.mtime = this.#attr.ctime = now();
  }

  /** Takes the times of what these attributes are of as well. */
  keepTimes({ atime, mtime, ctime }: Attr): void {
    this.#attr = { ...this.#attr, atime, mtime, ctime };
  }
}
