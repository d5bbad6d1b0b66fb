import { Opcode } from '../../src/abi/fuse.ts';
import {
  fuseAttr,
  fuseAttrOut,
  fuseDirent,
  fuseEntryOut,
  fuseInHeader,
  fuseIoctlIn,
  fuseIoctlOut,
  fuseLseekOut,
  fuseOpenOut,
  fuseOutHeader,
  fusePollOut,
  fuseReadIn,
  fuseStatfsOut,
  fuseWriteIn,
  fuseWriteOut,
} from '../../src/abi/structs.ts';

const REQUEST = fuseInHeader.size;
const REPLY = fuseOutHeader.size;

/** The last number that the kernel takes as an error (fuse_dev_do_write). */
const LAST_ERRNO = 511;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

type Body = (request: DataView, body: DataView) => boolean;

const exactly =
  (length: number): Body =>
  (_request, body) =>
    body.byteLength === length;

/** What the kernel wants behind the header of a reply that is no error, by opcode. Those that are missing must fail. */
const bodies: Partial<Record<number, Body>> = {
  [Opcode.LOOKUP]: exactly(fuseEntryOut.size),
  [Opcode.GETATTR]: exactly(fuseAttrOut.size),
  [Opcode.SETATTR]: exactly(fuseAttrOut.size),
  [Opcode.OPEN]: exactly(fuseOpenOut.size),
  [Opcode.OPENDIR]: exactly(fuseOpenOut.size),
  [Opcode.STATFS]: exactly(fuseStatfsOut.size),
  [Opcode.LSEEK]: exactly(fuseLseekOut.size),
  [Opcode.POLL]: exactly(fusePollOut.size),
  [Opcode.RELEASE]: exactly(0),
  [Opcode.RELEASEDIR]: exactly(0),
  [Opcode.FSYNC]: exactly(0),
  [Opcode.FSYNCDIR]: exactly(0),
  [Opcode.FALLOCATE]: exactly(0),
  [Opcode.COPY_FILE_RANGE]: exactly(fuseWriteOut.size),
  [Opcode.LISTXATTR]: (_request, body) => body.byteLength === 0 || body.byteLength === 8,
  [Opcode.READ]: (request, body) => body.byteLength <= fuseReadIn.at(request, REQUEST).size,
  [Opcode.READDIR]: (request, body) =>
    body.byteLength <= fuseReadIn.at(request, REQUEST).size && isListing(body),
  [Opcode.WRITE]: (request, body) =>
    body.byteLength === fuseWriteOut.size &&
    fuseWriteOut.at(body, 0).size <= fuseWriteIn.at(request, REQUEST).size,
  [Opcode.IOCTL]: (request, body) =>
    body.byteLength >= fuseIoctlOut.size &&
    body.byteLength <= fuseIoctlOut.size + fuseIoctlIn.at(request, REQUEST).out_size,
};

/** Directory entries to the last byte, each with a name (parse_dirfile). */
function isListing(body: DataView): boolean {
  let at = 0;
  while (at + fuseDirent.size < body.byteLength) {
    const { namelen } = fuseDirent.at(body, at);
    if (namelen === 0) return false;
    at += Math.ceil((fuseDirent.size + namelen) / 8) * 8;
  }
  return at === body.byteLength;
}

/** Whether a request must not be answered: there is no number to answer with, or the protocol has no reply to it. */
function isSilent(request: Uint8Array): boolean {
  if (request.length < REQUEST) return true;
  const { opcode, unique } = fuseInHeader.at(viewOf(request), 0);
  if (unique === 0 || !Number.isSafeInteger(unique)) return true;
  return opcode === Opcode.FORGET || opcode === Opcode.BATCH_FORGET;
}

/** What is wrong with the answer to a request, as the kernel would find or should have found; undefined for nothing. */
export function complaint(request: Uint8Array, replies: readonly Uint8Array[]): string | undefined {
  if (isSilent(request)) {
    return replies.length === 0 ? undefined : 'it was answered, which the protocol has no room for';
  }
  const [reply] = replies;
  if (reply === undefined || replies.length > 1) return `it was answered ${replies.length} times`;
  if (reply.length < REPLY) return 'the reply has no whole header';
  const view = viewOf(reply);
  const { len, error } = fuseOutHeader.at(view, 0);
  if (len !== reply.length) return `the reply of ${reply.length} bytes says that it has ${len}`;
  if (Buffer.compare(reply.subarray(8, 16), request.subarray(8, 16)) !== 0) return 'the reply is to another';
  if (error > 0 || error < -LAST_ERRNO) return `the reply's error is ${error}`;
  const body = new DataView(view.buffer, view.byteOffset + REPLY, reply.length - REPLY);
  if (error < 0) return body.byteLength === 0 ? undefined : 'an error has a body';
  const asked = viewOf(request);
  const { opcode, len: claimed } = fuseInHeader.at(asked, 0);
  if (claimed !== request.length) return 'it lies about its length and was served';
  const right = bodies[opcode];
  if (right === undefined) return 'it succeeded, which it never may';
  try {
    if (!right(asked, body)) return `the reply's body of ${body.byteLength} bytes isn't one of its kind`;
  } catch {
    return 'it is cut off and was served';
  }
  const attr = attrIn(opcode, reply);
  if (attr !== undefined) {
    const { atimensec, mtimensec, ctimensec } = fuseAttr.at(view, attr);
    if (Math.max(atimensec, mtimensec, ctimensec) >= 1e9) return 'a time has a second or more of nanoseconds';
  }
  return undefined;
}

/** Where a reply has attributes, in bytes from its start. */
function attrIn(opcode: number, reply: Uint8Array): number | undefined {
  if (reply.length <= REPLY) return undefined;
  switch (opcode) {
    case Opcode.LOOKUP:
      return REPLY + fuseEntryOut.size - fuseAttr.size;
    case Opcode.GETATTR:
    case Opcode.SETATTR:
      return REPLY + fuseAttrOut.size - fuseAttr.size;
    default:
      return undefined;
  }
}

/** From `atime` to `ctimensec` in struct fuse_attr. */
const TIMES = { start: 24, end: 60 };

/** A reply without what depends on the clock: the three times of its attributes, where it has some. */
export function timeless(opcode: number, reply: Uint8Array): Uint8Array {
  const attr = attrIn(opcode, reply);
  return attr === undefined ? reply : reply.slice().fill(0, attr + TIMES.start, attr + TIMES.end);
}

const names = new Map<number, string>(Object.entries(Opcode).map(([name, number]) => [number, name]));

export function opcodeName(opcode: number): string {
  return names.get(opcode) ?? `opcode ${opcode}`;
}

/** A request in a message: its kind, and all its bytes. */
export function show(request: Uint8Array): string {
  const hex = Buffer.from(request).toString('hex');
  if (request.length < REQUEST) return `${request.length} bytes, ${hex}`;
  const { opcode, nodeid } = fuseInHeader.at(viewOf(request), 0);
  return `${opcodeName(opcode)} on inode ${nodeid}, ${request.length} bytes, ${hex}`;
}
