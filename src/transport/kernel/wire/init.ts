import {
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  InitFlag,
  InitFlag2,
  Opcode,
} from '../../../abi/fuse.ts';
import { fuseInitIn, fuseInitOut } from '../../../abi/structs.ts';
import { because, lacks } from '../../../mount/lacks.ts';
import { MountError } from '../../../mount/mount-error.ts';
import { EPROTO } from '../../../sys/errno.ts';
import type { Wants } from '../../wants.ts';
import { Call } from './call.ts';
import type { Channel } from './channel.ts';

export const PAGE_SIZE = 4096;

/** The most data of one READ or WRITE, in bytes: 256 pages, the kernel's own limit without privileges. */
export const MAX_WRITE = 1 << 20;

/** The first minor version of the protocol with all that is needed here; Linux 5.4 and newer have it. */
const MIN_MINOR = 31;

const FLAGS =
  InitFlag.ASYNC_READ |
  InitFlag.BIG_WRITES |
  InitFlag.PARALLEL_DIROPS |
  InitFlag.MAX_PAGES |
  // The page cache of CACHED files is dropped when a session says so, not when a time or size looks new.
  InitFlag.EXPLICIT_INVAL_DATA |
  InitFlag.INIT_EXT;

/** Enough requests in the background (readahead) to keep a few workers busy. */
const MAX_BACKGROUND = 64;

/**
 * Answers the kernel's first request, which says what each side can do. It is in the queue from the moment of the mount,
 * so this doesn't wait. `byRings`: further requests are to come by io_uring, and none comes before there are rings for it. Throws a
 * MountError when the kernel is too old.
 */
export function initialize(channel: Channel, wants: Wants, byRings = false): void {
  const call = new Call(new Uint8Array(MAX_WRITE + PAGE_SIZE), new Uint8Array(PAGE_SIZE));
  const next = channel.next(call);
  const input = call.input(fuseInitIn);
  if (next !== call || call.header.opcode !== Opcode.INIT || !call.isWhole(16)) {
    throw new Error('The kernel began without FUSE_INIT; this should not happen.');
  }
  if (input.major !== FUSE_KERNEL_VERSION || input.minor < MIN_MINOR) {
    channel.answer(call, -EPROTO);
    const theirs = `${input.major}.${input.minor}`;
    throw new MountError(
      `This kernel speaks FUSE ${theirs}, and ${lacks.kernel.why}: ${lacks.kernel.remedy}.`,
    );
  }
  const extended = call.isWhole(fuseInitIn.size) && (input.flags & InitFlag.INIT_EXT) !== 0;
  const can = extended ? input.flags2 : 0;
  if (wants.passthrough && !(can & InitFlag2.PASSTHROUGH)) {
    channel.answer(call, -EPROTO);
    throw new MountError(`Cannot use passthrough I/O: ${because(lacks.passthroughKernel)}.`);
  }
  if (byRings && !(can & InitFlag2.OVER_IO_URING)) {
    channel.answer(call, -EPROTO);
    throw new MountError(`Cannot mount with io_uring: ${because(lacks.uring)}.`);
  }
  const out = call.output(fuseInitOut);
  out.major = FUSE_KERNEL_VERSION;
  out.minor = Math.min(input.minor, FUSE_KERNEL_MINOR_VERSION);
  out.max_readahead = input.max_readahead;
  out.flags = input.flags & FLAGS;
  if (wants.endless) out.flags |= input.flags & InitFlag.ASYNC_DIO;
  if (wants.locks) out.flags |= input.flags & (InitFlag.POSIX_LOCKS | InitFlag.FLOCK_LOCKS);
  if (wants.mmap) out.flags2 |= can & InitFlag2.DIRECT_IO_ALLOW_MMAP;
  if (wants.passthrough) {
    out.flags2 |= InitFlag2.PASSTHROUGH;
    out.max_stack_depth = 1;
  }
  if (byRings) out.flags2 |= InitFlag2.OVER_IO_URING;
  out.max_background = MAX_BACKGROUND;
  out.congestion_threshold = (MAX_BACKGROUND * 3) / 4;
  out.max_write = MAX_WRITE;
  out.max_pages = MAX_WRITE / PAGE_SIZE;
  out.time_gran = 1;
  channel.answer(call, fuseInitOut.size);
}
