import { chmodSync, closeSync } from 'node:fs';
import { libcFunction } from '../../src/sys/libc.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;

const socket = libcFunction<[domain: number, type: number, protocol: number]>('socket', 'int', [
  'int',
  'int',
  'int',
]);
const bind = libcFunction<[socket: number, address: Uint8Array, length: number]>('bind', 'int', [
  'int',
  'void *',
  'uint',
]);
const recv = libcFunction<[socket: number, buffer: Uint8Array, size: number, flags: number]>('recv', 'long', [
  'int',
  'void *',
  'size_t',
  'int',
]);

/** Takes datagrams at a unix socket, as syslogd, journald and systemd do: a path, or an abstract name behind `@`. */
export class Datagrams implements Disposable {
  readonly #fd: number;
  readonly #all: string[] = [];

  constructor(name: string) {
    this.#fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const path = name.startsWith('@') ? `\0${name.slice(1)}` : name;
    const address = Buffer.from(`\x01\0${path}`);
    bind(this.#fd, address, address.length);
    if (!name.startsWith('@')) chmodSync(name, 0o666);
  }

  /** All that have come. */
  get all(): readonly string[] {
    const buffer = new Uint8Array(1 << 16);
    for (;;) {
      try {
        const length = recv(this.#fd, buffer, buffer.length, MSG_DONTWAIT);
        this.#all.push(Buffer.from(buffer.subarray(0, length)).toString('latin1'));
      } catch {
        return this.#all;
      }
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
