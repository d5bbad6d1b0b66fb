import { FUSE_READ_LOCKOWNER, Opcode } from '../../../src/abi/fuse.ts';
import { fuseInHeader, fuseReadIn } from '../../../src/abi/structs.ts';
import { Call } from '../../../src/transport/kernel/wire/call.ts';
import { MAX_WRITE } from '../../../src/transport/kernel/wire/init.ts';

/** The inode that the request is for. */
export const INO = 2;
/** The request's length, in bytes. */
export const LENGTH = fuseInHeader.size + fuseReadIn.size;
export const FILE_SIZE = 1 << 20;

/** What the request asks for, in bytes. */
export const SIZE = 4096;
export const OFFSET = 8192;

const UNIQUE = 1234;

/** Serves the request that a call holds. Returns the reply's length. */
export type Server = (length: number) => number;

/** A READ as the kernel writes it, and room for its reply, both in `memory` as they are in a worker's. */
export function readRequest(memory: Uint8Array): Call {
  const call = Call.within(memory, MAX_WRITE);
  Object.assign(call.header, { len: LENGTH, opcode: Opcode.READ, unique: UNIQUE, nodeid: INO });
  Object.assign(call.input(fuseReadIn), { offset: OFFSET, size: SIZE, read_flags: FUSE_READ_LOCKOWNER });
  return call;
}
