import type { Fields, Struct, View } from '../../../abi/c-struct.ts';
import { FUSE_ROOT_ID, Opcode } from '../../../abi/fuse.ts';
import { fuseEntryOut, fuseIoctlIn, fuseOpenOut, fuseReadIn } from '../../../abi/structs.ts';
import { NOBODY } from '../../../proc-fs/caller.ts';
import type { ProcDirEntry } from '../../../proc-fs/entries/entry.ts';
import type { MaybePromise, ProcFile } from '../../../proc-fs/handler.ts';
import { errnoOf, type ProcOps } from '../../../proc-fs/proc-ops.ts';
import { EINTR, EIO } from '../../../sys/errno.ts';
import { NO_USAGE, type Usage } from '../../usage.ts';
import type { CachedPages } from '../wire/cached-pages.ts';
import { Call } from '../wire/call.ts';
import type { Channel } from '../wire/channel.ts';
import { dispatch, fileOperations, treeOperations } from '../wire/dispatch.ts';
import { FarEnds } from '../wire/far-ends.ts';
import { MAX_WRITE, PAGE_SIZE } from '../wire/init.ts';
import { notifyInvalPages, notifyPoll } from '../wire/notify.ts';
import { NO_REPLY } from '../wire/operation.ts';
import { replyWritten } from '../wire/operations/write.ts';
import { fhOf, SharedFile } from '../wire/shared-file.ts';
import type { TreeInodes } from '../wire/tree-inodes.ts';
import type { Written } from '../worker-contract.ts';
import { Lookups } from './lookups.ts';
import { OpenFiles } from './open-files.ts';

/** How many requests are remembered that were interrupted and aren't here. */
const EARLY = 256;

/** Room for every struct of a fixed size, in bytes. */
const SMALL_REPLY = 256;

export interface TreeServerOptions {
  /** The numbers under which the kernel was lent backing files, by inode. */
  readonly backing: ReadonlyMap<number, number>;
  /** What the page cache was given, by inode: see CachedPages. */
  readonly cachedPages: ReadonlyMap<number, CachedPages>;
  /** Whether locks were agreed on with the kernel: see Wants. */
  readonly locks?: boolean | undefined;
  /** Whether files without an end were agreed on with the kernel: see Wants. */
  readonly endless: boolean;
  /** What df shows. Default: nothing in use and nothing allowed, as for /proc. */
  readonly usage?: (() => MaybePromise<Usage>) | undefined;
  /** Told of each entry that was looked up and that the kernel is about to know. Throws an Error when it can't be served. */
  readonly found?: ((entry: ProcDirEntry) => void) | undefined;
  /** Told of each entry that nobody can ask for any more: it was removed or looked up, and the kernel has forgotten it. */
  readonly gone?: ((entry: ProcDirEntry) => void) | undefined;
}

/**
 * Serves what workers pass on, and what the event loop takes itself, on the thread that has the tree and the state that its handlers
 * close over. A handler here may take its time: other requests are served meanwhile.
 */
export class TreeServer implements TreeInodes {
  readonly #lookups = new Lookups();
  readonly #root: ProcDirEntry;
  readonly #channel: Channel;
  readonly #options: TreeServerOptions;
  readonly #files = new OpenFiles();
  readonly farEnds: FarEnds | undefined;
  readonly #wakers = new WeakMap<ProcFile, () => void>();
  /** Requests whose handlers have not answered yet, by their `unique`. */
  readonly #waiting = new Map<number, Call>();
  /** Requests that were interrupted and weren't waiting here, by their `unique`: some are on their way from a worker. */
  readonly #early = new Set<number>();

  constructor(root: ProcDirEntry, channel: Channel, options: TreeServerOptions) {
    this.#root = root;
    this.#channel = channel;
    this.farEnds = options.endless ? new FarEnds(channel) : undefined;
    this.#options = options;
  }

  /**
   * Serves a request where it lies, when it is for a file whose handler answers at once: one that could run in any thread. Returns
   * whether it did.
   */
  serveHere(call: Call): boolean {
    const { opcode, nodeid } = call.header;
    const entry = this.node(nodeid);
    if (entry?.ops?.placement.shared === undefined || entry.isLookedUp) return false;
    if (fileOperations[opcode] === undefined) return false;
    const answer = dispatch(treeOperations, this, call);
    this.#channel.answer(call, typeof answer === 'number' ? answer : -EIO);
    return true;
  }

  /** Serves a request's message, which a whole header is known to be there of. */
  serveMessage(message: Uint8Array): void {
    const call = Call.of(message, room(message));
    call.since = performance.now();
    void this.serve(call);
  }

  /** Serves a request. Returns undefined once it is answered, or a promise for when nobody needs the call any more. */
  serve(call: Call): Promise<void> | undefined {
    const answer = dispatch(treeOperations, this, call);
    if (typeof answer === 'number') {
      this.#channel.answer(call, answer);
      return undefined;
    }
    const { unique } = call.header;
    this.#waiting.set(unique, call);
    const late = (result: number) => {
      if (this.#waiting.delete(unique)) this.#channel.answer(call, result);
      else this.#undo(call, result);
    };
    if (this.#early.delete(unique)) this.interrupt(unique);
    return answer.then(late, (error: unknown) => late(errnoOf(error)));
  }

  /** The answer comes too late for a client that was told otherwise: what it opened or found for it, nobody else lets go of. */
  #undo(call: Call, result: number): void {
    if (result < 0) return;
    const { opcode } = call.header;
    if (opcode === Opcode.OPEN) this.#files.release(call.outputAt(fuseOpenOut, 0).fh, call.caller);
    if (opcode === Opcode.LOOKUP) this.forget(call.outputAt(fuseEntryOut, 0).nodeid, 1);
  }

  /** Answers a request whose worker is gone. */
  abandon(unique: number): void {
    this.#channel.answer(Call.numbered(unique), -EIO);
  }

  /**
   * Drops the answers that are still to come, and releases what is open. An unmount leaves nothing open, but a connection
   * that was cut does, and the kernel says no more.
   */
  end(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { caller } of waiting) caller.abort();
    this.#files.releaseAll(NOBODY);
  }

  node(nodeid: number): ProcDirEntry | undefined {
    return nodeid === FUSE_ROOT_ID ? this.#root : this.#lookups.get(nodeid);
  }

  /** Where an inode is in the tree, or '' for one that isn't known. */
  pathOf(nodeid: number): string {
    return this.node(nodeid)?.path ?? '';
  }

  known(entry: ProcDirEntry): void {
    if (entry.isLookedUp && this.#lookups.get(entry.ino) === undefined) this.#options.found?.(entry);
    this.#lookups.add(entry);
  }

  forget(nodeid: number, nlookup: number): void {
    const entry = this.#lookups.forget(nodeid, nlookup);
    if (entry !== undefined) this.farEnds?.forget(entry.ino);
    if (entry?.isRemoved || entry?.isLookedUp) this.#options.gone?.(entry);
  }

  /** An entry was removed from the tree. */
  removed(entry: ProcDirEntry): void {
    if (this.#lookups.get(entry.ino) === undefined) this.#options.gone?.(entry);
  }

  keepFile(file: ProcFile, _entry: ProcDirEntry, ops: ProcOps | undefined): number {
    return ops?.placement.shared === undefined ? this.#files.add(file, ops) : fhOf(file);
  }

  file({ ops }: ProcDirEntry, fh: number): ProcFile | undefined {
    return ops?.placement.shared === undefined ? this.#files.get(fh) : new SharedFile().place(fh);
  }

  opsOf({ ops }: ProcDirEntry, fh: number): ProcOps | undefined {
    return ops?.placement.shared === undefined ? (this.#files.opsOf(fh) ?? ops) : ops;
  }

  dropFile(_node: ProcDirEntry, fh: number): void {
    this.#files.delete(fh);
  }

  cachedPages({ ino }: ProcDirEntry): CachedPages | undefined {
    return this.#options.cachedPages.get(ino);
  }

  answerWithoutPages({ ino }: ProcDirEntry, call: Call, offset: number, length: number): number {
    this.written({ ino, offset, length, unique: call.header.unique });
    return NO_REPLY;
  }

  /** This write is done, and to be answered once the kernel has dropped the cached pages of its range. */
  written({ unique, ...range }: Written): void {
    const call = Call.numbered(unique, SMALL_REPLY);
    notifyInvalPages(this.#channel, range, () =>
      this.#channel.answer(call, replyWritten(call, range.length)),
    );
  }

  backingId({ ino }: ProcDirEntry): number | undefined {
    return this.#options.backing.get(ino);
  }

  waker(file: ProcFile, kh: number): () => void {
    const waker = this.#wakers.get(file) ?? (() => notifyPoll(this.#channel, kh));
    this.#wakers.set(file, waker);
    return waker;
  }

  get hasLocks(): boolean {
    return this.#options.locks ?? false;
  }

  usage(): MaybePromise<Usage> {
    return this.#options.usage?.() ?? NO_USAGE;
  }

  interrupt(unique: number): boolean {
    const call = this.#waiting.get(unique);
    if (call === undefined) {
      this.#early.add(unique);
      const [oldest = 0] = this.#early;
      if (this.#early.size > EARLY) this.#early.delete(oldest);
      return false;
    }
    const { opcode, nodeid } = call.header;
    if (this.node(nodeid)?.ops?.placement.uninterruptible && opcode !== Opcode.SETLKW) return true;
    this.#waiting.delete(unique);
    this.#channel.answer(call, -EINTR);
    call.caller.abort();
    return true;
  }
}

/** Room for the body of the reply to a request, in bytes: a small struct, and what it asks for. */
function room(message: Uint8Array): number {
  const call = Call.of(message, 0);
  const asked = <F extends Fields>(struct: Struct<F>, size: (input: View<F>) => number) =>
    call.isWhole(struct.size) ? Math.min(size(call.input(struct)), MAX_WRITE) : 0;
  switch (call.header.opcode) {
    case Opcode.READ:
    case Opcode.READDIR:
      return SMALL_REPLY + asked(fuseReadIn, (input) => input.size);
    case Opcode.IOCTL:
      return SMALL_REPLY + asked(fuseIoctlIn, (input) => input.out_size);
    case Opcode.READLINK:
      return PAGE_SIZE;
    default:
      return SMALL_REPLY;
  }
}
