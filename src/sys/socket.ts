import { closeSync } from 'node:fs';
import { addressOf, libcFunction } from './libc.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x40000000;

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

/** Two ends of a socket of this machine, close-on-exec, each closed by disposing. Source: socketpair(2). */
export function socketpair(): [Socket, Socket] {
  const pair = new Int32Array(2);
  socketpairCall(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
  const [one = -1, other = -1] = pair;
  return [new Socket(one), new Socket(other)];
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

  /**
   * Waits for a message with a file descriptor in it. Returns the descriptor, close-on-exec, or undefined when the
   * other end was closed without sending one. Source: recvmsg(2), cmsg(3), unix(7).
   */
  receiveDescriptor(): number | undefined {
    const byte = new Uint8Array(1);
    const iovec = BigUint64Array.of(addressOf(byte), 1n);
    // struct cmsghdr { size_t len; int level; int type; } and one int, padded to 8 bytes.
    const control = new DataView(new ArrayBuffer(24));
    const message = new DataView(new ArrayBuffer(56));
    message.setBigUint64(16, addressOf(new Uint8Array(iovec.buffer)), true);
    message.setBigUint64(24, 1n, true);
    message.setBigUint64(32, addressOf(new Uint8Array(control.buffer)), true);
    message.setBigUint64(40, BigInt(control.byteLength), true);
    if (recvmsg(this.fd, new Uint8Array(message.buffer), MSG_CMSG_CLOEXEC) === 0) return undefined;
    if (control.getInt32(8, true) !== SOL_SOCKET || control.getInt32(12, true) !== SCM_RIGHTS)
      return undefined;
    return control.getInt32(16, true);
  }
}
