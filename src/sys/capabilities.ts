import { readlinkSync } from 'node:fs';
import { libcFunction } from './libc.ts';

/** Source: linux/capability.h. */
export const Capability = {
  DAC_OVERRIDE: 1,
  /** To find a way through directories that it may not search. */
  DAC_READ_SEARCH: 2,
  IPC_LOCK: 14,
  /** To mount, to unmount, and to lend the kernel a file. */
  SYS_ADMIN: 21,
} as const;

/** _LINUX_CAPABILITY_VERSION_3: each set is two words of 32 bits. */
const VERSION = 0x20080522;

type Call = [header: Uint32Array, data: Uint32Array];
const capget = libcFunction<Call>('capget', 'int', ['void *', 'void *']);
const capset = libcFunction<Call>('capset', 'int', ['void *', 'void *']);

/** Two times effective, permitted and inheritable. */
const EFFECTIVE = 0;
const WORDS = 3;

/** The calling thread. */
function header(): Uint32Array {
  return Uint32Array.of(VERSION, 0);
}

/** The user namespace that the machine started with. Source: USER_NS_INIT_INO, linux/nsfs.h. */
const FIRST_USER_NAMESPACE = 'user:[4026531837]';

/**
 * Whether the calling thread has a capability over the whole machine. Root of a user namespace has them all, and where the
 * kernel asks by capable() and not by ns_capable(), as for locking memory beyond the limit, they count for nothing.
 * Source: capget(2), user_namespaces(7).
 */
export function capable(capability: number): boolean {
  return hasCapability(capability) && readlinkSync('/proc/self/ns/user') === FIRST_USER_NAMESPACE;
}

/** Whether the calling thread has a capability over its own user namespace, as mount(2) wants it of CAP_SYS_ADMIN. */
export function hasCapability(capability: number): boolean {
  const data = new Uint32Array(2 * WORDS);
  capget(header(), data);
  return (((data[EFFECTIVE + WORDS * (capability >>> 5)] ?? 0) >>> (capability & 31)) & 1) === 1;
}

/**
 * Drops all capabilities of the calling thread but these, as far as it has them. Threads and processes that it starts from
 * now on inherit that; threads that are there keep theirs. Source: capset(2), capabilities(7).
 */
export function keepCapabilities(...kept: readonly number[]): void {
  const data = new Uint32Array(2 * WORDS);
  capget(header(), data);
  const mask = new Uint32Array(2);
  for (const capability of kept)
    mask[capability >>> 5] = (mask[capability >>> 5] ?? 0) | (1 << (capability & 31));
  capset(
    header(),
    data.map((word, index) => word & (mask[Math.floor(index / WORDS)] ?? 0)),
  );
}
