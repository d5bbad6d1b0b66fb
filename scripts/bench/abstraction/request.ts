import { Opcode } from '../../../src/abi/fuse.ts';
import { fuseReadIn } from '../../../src/abi/structs.ts';
import { Call, REQUEST_HEADER } from '../../../src/transport/kernel/wire/call.ts';
import { BUFFER_SIZE } from '../../../src/transport/kernel/wire/init.ts';

/** The inode that the request is for. */
export const INO = 2;
/** The request's length, in bytes. */
export const LENGTH = REQUEST_HEADER + fuseReadIn.size;
export const FILE_SIZE = 1 << 20;

/** What the request asks for, in bytes. */
export const SIZE = 4096;
export const OFFSET = 8192;

const UNIQUE = 1234;

/** Serves the request that a call holds. Returns the reply's length. */
export type Server = (length: number) => number;

/** A READ as the kernel writes it, and room for its reply, both in `memory` as they are in a worker's. */
export function readRequest(memory: Uint8Array): Call {
  const call = new Call(memory.subarray(0, BUFFER_SIZE), memory.subarray(BUFFER_SIZE, 2 * BUFFER_SIZE));
  Object.assign(call.header, { len: LENGTH, opcode: Opcode.READ, unique: UNIQUE, nodeid: INO });
  Object.assign(call.input(fuseReadIn), { offset: OFFSET, size: SIZE });
  return call;
}
