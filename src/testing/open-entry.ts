import { constants } from 'node:fs';
import { FattrFlag, FopenFlag, FUSE_ROOT_ID, Opcode } from '../abi/fuse.ts';
import {
  fuseAttrOut,
  fuseEntryOut,
  fuseGetattrIn,
  fuseOpenIn,
  fuseOpenOut,
  fuseSetattrIn,
} from '../abi/structs.ts';
import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import { EACCES, EISDIR, ELOOP, ENOENT, ENOTDIR, Errno } from '../sys/errno.ts';
import { quote } from '../text/quote.ts';
import type { TestCaller } from './caller.ts';
import { Connection } from './connection.ts';
import { TestFile } from './test-file.ts';

const { O_ACCMODE, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, S_IFDIR, S_IFLNK, S_IFMT } = {
  ...constants,
  O_ACCMODE: 3,
};

/** What somebody may want of a file. Source: MAY_READ, include/linux/fs.h. */
const READ = 4;
const WRITE = 2;
const SEARCH = 1;

/** How many links one path may lead through. Source: MAXSYMLINKS, include/linux/namei.h. */
const MAX_LINKS = 40;

/** What was found under a name. */
interface Found {
  readonly nodeid: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Opens a file of a tree as a client does, without a mount: what the client asks of the kernel goes the same way as in a mounted
 * tree, with the same checks and errors. What the kernel itself does for a file is done here: permissions, links, positions and access
 * modes. There is no page cache, though, so each read and write reaches the handler, and one handler is called at a time.
 *
 * @param root The tree, or a directory in it.
 * @param path Below `root`, such as `jobs/1/status`. Links are followed, as far as they lead within the tree.
 * @param caller Who opens it, and how. Default: this process, to read and write as far as the file lets it.
 *
 * Rejects with an Errno, such as ENOENT, ENOTDIR, EACCES, ELOOP, EISDIR for a directory, and what the handler's `open` throws.
 *
 * @example
 * ```ts
 * procCreateSingle('level', 0o644, root, () => `${level}\n`, (text) => { level = Number(text); });
 * await using file = await openEntry(root, 'level');
 * await file.write('5\n');
 * await file.lseek(0);
 * assert.equal(await file.text(), '5\n');
 * ```
 */
export async function openEntry(
  root: ProcDirEntry,
  path: string,
  caller: TestCaller = {},
): Promise<TestFile> {
  const connection = new Connection(root, caller);
  const walk = new Walk(connection);
  const found = await walk.to(path, caller.flags ?? 0);
  if ((found.mode & S_IFMT) === S_IFDIR) throw new Errno(EISDIR, 'open');
  const flags = caller.flags ?? usualFlags(walk, found);
  const access = flags & O_ACCMODE;
  walk.check(found, (access === O_WRONLY ? 0 : READ) | (access === O_RDONLY ? 0 : WRITE));
  const { nodeid } = found;
  // The kernel resizes by itself, once the file is open: handle_truncate, fs/namei.c.
  const reply = await connection.request(Opcode.OPEN, nodeid, fuseOpenIn, { flags: flags & ~O_TRUNC });
  const { fh, open_flags } = reply.as(fuseOpenOut);
  const isSeekable = (open_flags & FopenFlag.NONSEEKABLE) === 0;
  const file = new TestFile(connection, { nodeid, fh, flags: flags & ~O_TRUNC, isSeekable });
  if (flags & O_TRUNC) {
    const change = { valid: FattrFlag.SIZE | FattrFlag.FH, fh, size: 0 };
    await connection.request(Opcode.SETATTR, nodeid, fuseSetattrIn, change).catch(async (error: Errno) => {
      await file.close();
      throw error;
    });
  }
  return file;
}

function usualFlags(walk: Walk, found: Found): number {
  if (!walk.may(found, WRITE)) return O_RDONLY;
  return walk.may(found, READ) ? O_RDWR : O_WRONLY;
}

/** A client's way to a file. */
class Walk {
  readonly #connection: Connection;
  #links = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** What stands at a path. Throws an Errno. */
  async to(path: string, flags: number): Promise<Found> {
    if (path === '') throw new Errno(ENOENT, 'open');
    const [found] = await this.#follow([await this.#root()], path, (flags & O_NOFOLLOW) === 0);
    return found;
  }

  /** The way from the file that a path leads to, back to the root: what `..` needs. */
  async #follow(from: Way, path: string, followLast: boolean): Promise<Way> {
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    let way = from;
    for (const [i, name] of names.entries()) {
      const [directory, above] = way;
      if ((directory.mode & S_IFMT) !== S_IFDIR) throw new Errno(ENOTDIR, 'open');
      this.check(directory, SEARCH);
      if (name === '..') {
        way = above === undefined ? way : (way.slice(1) as unknown as Way);
        continue;
      }
      const found = await this.#lookup(directory, name);
      const isLast = i === names.length - 1;
      if ((found.mode & S_IFMT) !== S_IFLNK) way = [found, ...way];
      else if (isLast && !followLast) throw new Errno(ELOOP, 'open');
      else way = await this.#follow(way, await this.#target(found, name), true);
    }
    if (path.endsWith('/') && (way[0].mode & S_IFMT) !== S_IFDIR) throw new Errno(ENOTDIR, 'open');
    return way;
  }

  async #root(): Promise<Found> {
    const reply = await this.#connection.request(Opcode.GETATTR, FUSE_ROOT_ID, fuseGetattrIn, {});
    const { mode, uid, gid } = reply.as(fuseAttrOut);
    return { nodeid: FUSE_ROOT_ID, mode, uid, gid };
  }

  async #lookup({ nodeid }: Found, name: string): Promise<Found> {
    const reply = await this.#connection.requestOf(Opcode.LOOKUP, nodeid, Buffer.from(`${name}\0`));
    const { mode, uid, gid, nodeid: found } = reply.as(fuseEntryOut);
    return { nodeid: found, mode, uid, gid };
  }

  async #target({ nodeid }: Found, name: string): Promise<string> {
    if (++this.#links > MAX_LINKS) throw new Errno(ELOOP, 'open');
    const reply = await this.#connection.requestOf(Opcode.READLINK, nodeid, new Uint8Array());
    const target = Buffer.from(reply.bytes).toString();
    if (!target.startsWith('/')) return target;
    throw new Error(
      `Cannot follow the link ${quote(name)} to ${quote(target)}: it leads out of the tree, which is mounted nowhere.`,
    );
  }

  /** Throws EACCES. */
  check(found: Found, wanted: number): void {
    if (!this.may(found, wanted)) throw new Errno(EACCES, 'open');
  }

  /** Whether the caller may. Source: acl_permission_check and capable_wrt_inode_uidgid, fs/namei.c. */
  may({ mode, uid, gid }: Found, wanted: number): boolean {
    const { caller } = this.#connection;
    if (caller.uid === 0) return true;
    const bits = caller.uid === uid ? mode >> 6 : caller.gid === gid ? mode >> 3 : mode;
    return (bits & wanted) === wanted;
  }
}

/** A file, and the directories that it is in, to the root. */
type Way = readonly [Found, ...Found[]];
