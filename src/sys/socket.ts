import { closeSync } from 'node:fs';
import { EAGAIN, ECONNABORTED, Errno } from './errno.ts';
import { addressOf, libcFunction } from './libc.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x40000000;
const MSG_NOSIGNAL = 0x4000;

/** How many connections wait to be accepted, at most; the system's own limit is net.core.somaxconn. */
const BACKLOG = 4096;

const socketpairCall = libcFunction<[domain: number, type: number, protocol: number, pair: Int32Array]>(
  'socketpair',
  'int',
  ['int', 'int', 'int', 'void *'],
);

const recvmsg = libcFunction<[socket: number, message: Uint8Array, flags: number]>('recvmsg', 'int64_t', [
  'int',
  'void *',
  'int',
]);

const sendmsg = libcFunction<[socket: number, message: Uint8Array, flags: number]>('sendmsg', 'int64_t', [
  'int',
  'void *',
  'int',
]);

type OnAddress = [socket: number, address: Uint8Array, length: number];
type OnOption = [socket: number, level: number, option: number, value: Int32Array, length: Uint32Array];

const socketCall = libcFunction<[domain: number, type: number, protocol: number]>('socket', 'int', [
  'int',
  'int',
  'int',
]);
const bind = libcFunction<OnAddress>('bind', 'int', ['int', 'void *', 'uint']);
const connect = libcFunction<OnAddress>('connect', 'int', ['int', 'void *', 'uint']);
const listen = libcFunction<[socket: number, backlog: number]>('listen', 'int', ['int', 'int']);
const accept4 = libcFunction<[socket: number, address: null, length: null, flags: number]>('accept4', 'int', [
  'int',
  'void *',
  'void *',
  'int',
]);
const getsockopt = libcFunction<OnOption>('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']);

/** Who is at the other end of a socket, as the kernel noted it when that end connected or began to listen. */
export interface Peer {
  /** 0 when this process's namespace has no number for it. */
  readonly pid: number;
  readonly uid: number;
}

/** Two ends of a socket of this machine, close-on-exec, each closed by disposing. Source: socketpair(2). */
export function socketpair(): [Socket, Socket] {
  const pair = new Int32Array(2);
  socketpairCall(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
  const [one = -1, other = -1] = pair;
  return [new Socket(one), new Socket(other)];
}

/**
 * Listens on an abstract name: one that is no file, and is free again when the last descriptor is closed. Throws an Errno,
 * EADDRINUSE for one that is taken in this network namespace. Not blocking. Source: unix(7).
 *
 * Not Node's: until version 22 it pads names with NULs to their full length, and then other versions call another name.
 */
export function listenOn(name: string): Socket {
  return unixSocket((fd) => {
    bind(fd, ...addressOfName(name));
    listen(fd, BACKLOG);
  });
}

/**
 * Connects to an abstract name. Throws an Errno: ECONNREFUSED when nobody listens there, EAGAIN when too many wait for it
 * already. Not blocking.
 */
export function connectTo(name: string): Socket {
  return unixSocket((fd) => connect(fd, ...addressOfName(name)));
}

function unixSocket(prepare: (fd: number) => void): Socket {
  const fd = socketCall(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  try {
    prepare(fd);
    return new Socket(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** struct sockaddr_un: the family, and a name that begins with a NUL and ends where the address does. */
function addressOfName(name: string): [address: Uint8Array, length: number] {
  const address = Buffer.from(`\x01\0\0${name}`);
  return [address, address.length];
}

export class Socket implements Disposable {
  readonly fd: number;
  #open = true;

  constructor(fd: number) {
    this.fd = fd;
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.fd);
    this.#open = false;
  }

  /** Gives the descriptor away: whoever takes it closes it. */
  release(): number {
    this.#open = false;
    return this.fd;
  }

  /** Source: SO_PEERCRED in unix(7). */
  get peer(): Peer {
    const [pid = 0, uid = -1] = option(this.fd, SO_PEERCRED, 3);
    // A uid_t has no sign.
    return { pid, uid: uid >>> 0 };
  }

  /** The next connection, not blocking, or undefined when there is none. Throws an Errno, such as EMFILE. */
  accept(): Socket | undefined {
    try {
      return new Socket(accept4(this.fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK));
    } catch (error) {
      if (error instanceof Errno && (error.errno === EAGAIN || error.errno === ECONNABORTED))
        return undefined;
      throw error;
    }
  }

  /**
   * Waits for a message with a file descriptor in it. Returns the descriptor, close-on-exec, or undefined when the
   * other end was closed without sending one. Source: recvmsg(2), cmsg(3), unix(7).
   */
  receiveDescriptor(): number | undefined {
    const { bytes, control } = clearDescriptor();
    if (recvmsg(this.fd, bytes, MSG_CMSG_CLOEXEC) === 0) return undefined;
    if (control.getInt32(8, true) !== SOL_SOCKET || control.getInt32(12, true) !== SCM_RIGHTS)
      return undefined;
    return control.getInt32(16, true);
  }

  /** Sends a byte with a descriptor: the other end gets one of its own for the same open file. Source: sendmsg(2). */
  sendDescriptor(fd: number): void {
    const { bytes, control } = clearDescriptor();
    // The header, and an int without its padding.
    control.setBigUint64(0, 20n, true);
    control.setInt32(8, SOL_SOCKET, true);
    control.setInt32(12, SCM_RIGHTS, true);
    control.setInt32(16, fd, true);
    sendmsg(this.fd, bytes, MSG_NOSIGNAL);
  }
}

/** A struct msghdr with room for a byte and a descriptor. What it points to must stay referenced. Source: cmsg(3). */
const oneDescriptor = (() => {
  const byte = new Uint8Array(1);
  const iovec = new Uint8Array(BigUint64Array.of(addressOf(byte), 1n).buffer);
  // struct cmsghdr { size_t len; int level; int type; } and one int, padded to 8 bytes.
  const control = new DataView(new ArrayBuffer(24));
  const message = new DataView(new ArrayBuffer(56));
  message.setBigUint64(16, addressOf(iovec), true);
  message.setBigUint64(24, 1n, true);
  message.setBigUint64(32, addressOf(new Uint8Array(control.buffer)), true);
  return { bytes: new Uint8Array(message.buffer), message, control, byte, iovec };
})();

/** The same as before the last message, which recvmsg(2) has written to. */
function clearDescriptor(): typeof oneDescriptor {
  const { message, control } = oneDescriptor;
  control.setInt32(8, 0, true);
  message.setBigUint64(40, BigInt(control.byteLength), true);
  return oneDescriptor;
}

/** A socket's option that is so many ints. */
function option(fd: number, name: number, ints: number): Int32Array {
  const value = new Int32Array(ints);
  getsockopt(fd, SOL_SOCKET, name, value, Uint32Array.of(value.byteLength));
  return value;
}
