/** FUSE over io_uring, as include/uapi/linux/fuse.h and io_uring.h have it. Documentation/filesystems/fuse/fuse-io-uring.rst says how it works. */
import { struct } from './c-struct.ts';

/** What is asked of the device by IORING_OP_URING_CMD. */
export const UringCommand = {
  /** Here is memory for a request: the kernel keeps the command until it has put one there. */
  REGISTER: 1,
  /** The same memory holds the reply; and it is free for the next request. */
  COMMIT_AND_FETCH: 2,
} as const;

/** struct fuse_uring_req_header: where its parts begin, and its size, in bytes. Source: include/uapi/linux/fuse.h. */
export const RingHeader = {
  /** A fuse_in_header, or the fuse_out_header of the reply. */
  IN_OUT: 0,
  /** The struct with which the request's body begins, if it begins with one. */
  OP_IN: 128,
  /** A fuse_uring_ent_in_out. */
  ENTRY: 256,
  SIZE: 288,
} as const;

/** Of an entry: the number by which its request is answered, and how many bytes stand in its payload. */
export const fuseUringEntInOut = struct({
  flags: 'u64',
  commit_id: 'u64',
  payload_sz: 'u32',
  padding: 'u32',
  reserved: 'u64',
});
