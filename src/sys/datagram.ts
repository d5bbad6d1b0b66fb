import { closeSync } from 'node:fs';
import { libcFunction } from './libc.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

const socket = libcFunction<[domain: number, type: number, protocol: number]>('socket', 'int', [
  'int',
  'int',
  'int',
]);
const connect = libcFunction<[socket: number, address: Uint8Array, length: number]>('connect', 'int', [
  'int',
  'void *',
  'uint',
]);

/**
 * A descriptor that sends each write as a datagram to a unix socket: a path, or an abstract name that begins with `@`. It is
 * close-on-exec, and with `wait` waits for room; else what its receiver has no room for is EAGAIN. Throws an Errno. Source: unix(7).
 */
export function datagramTo(name: string, wait = false): number {
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK), 0);
  try {
    const path = name.startsWith('@') ? `\0${name.slice(1)}` : name;
    const address = Buffer.from(`\x01\0${path}`);
    connect(fd, address, address.length);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
