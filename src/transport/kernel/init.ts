import { EPROTO } from '../../abi/errno.ts';
import {
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  InitFlag,
  InitFlag2,
  Opcode,
} from '../../abi/fuse.ts';
import { fuseInitIn, fuseInitOut } from '../../abi/structs.ts';
import { Call } from './call.ts';
import type { FuseDevice } from './device.ts';

const PAGE_SIZE = 4096;

/** The most data of one READ or WRITE, in bytes: 256 pages, the kernel's own limit without privileges. */
export const MAX_WRITE = 1 << 20;

/** Room for any request or reply: the data, and what the kernel wants beside it (fuse_dev_do_read). */
export const BUFFER_SIZE = MAX_WRITE + PAGE_SIZE;

/** The first minor version of the protocol with all that is needed here; Linux 5.4 and newer have it. */
const MIN_MINOR = 31;

const FLAGS =
  InitFlag.ASYNC_READ |
  InitFlag.BIG_WRITES |
  InitFlag.ASYNC_DIO |
  InitFlag.PARALLEL_DIROPS |
  InitFlag.MAX_PAGES |
  InitFlag.INIT_EXT;

/** Enough requests in the background (asynchronous direct I/O, readahead) to keep a few workers busy. */
const MAX_BACKGROUND = 64;

/**
 * Answers the kernel's first request, which says what each side can do. It is in the queue from the moment of the mount,
 * so this doesn't wait. `mmap` is whether files may be mapped shared; the protocol says it for a whole mount.
 */
export function initialize(device: FuseDevice, mmap: boolean): void {
  const call = new Call(new Uint8Array(BUFFER_SIZE), new Uint8Array(PAGE_SIZE));
  const length = device.read(call.request);
  const input = call.input(fuseInitIn);
  if (call.header.opcode !== Opcode.INIT || !call.isWhole(length, 16)) {
    throw new Error('The kernel began the FUSE session without FUSE_INIT; this should not happen.');
  }
  if (input.major !== FUSE_KERNEL_VERSION || input.minor < MIN_MINOR) {
    device.write(call.reply, call.finish(-EPROTO));
    const [ours, theirs] = [`${FUSE_KERNEL_VERSION}.${MIN_MINOR}`, `${input.major}.${input.minor}`];
    throw new Error(`This kernel speaks FUSE ${theirs}, and ramproc needs ${ours}: run Linux 5.4 or newer.`);
  }
  const out = call.output(fuseInitOut);
  out.major = FUSE_KERNEL_VERSION;
  out.minor = Math.min(input.minor, FUSE_KERNEL_MINOR_VERSION);
  out.max_readahead = input.max_readahead;
  out.flags = input.flags & FLAGS;
  out.flags2 = input.flags & InitFlag.INIT_EXT && mmap ? input.flags2 & InitFlag2.DIRECT_IO_ALLOW_MMAP : 0;
  out.max_background = MAX_BACKGROUND;
  out.congestion_threshold = (MAX_BACKGROUND * 3) / 4;
  out.max_write = MAX_WRITE;
  out.max_pages = MAX_WRITE / PAGE_SIZE;
  out.time_gran = 1;
  device.write(call.reply, call.finish(fuseInitOut.size));
}
