import { libcFunction } from './libc.ts';

/** Source: asm-generic/resource.h. */
export const RLIMIT_CPU = 0;
export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_CORE = 4;
export const RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;

/** RLIM_INFINITY. */
const NONE = 2n ** 64n - 1n;

type Call = [resource: number, limits: BigUint64Array];
const getrlimitCall = libcFunction<Call>('getrlimit', 'int', ['int', 'void *']);
const setrlimitCall = libcFunction<Call>('setrlimit', 'int', ['int', 'void *']);

/** A soft limit; above 2^53 when there is none. Source: getrlimit(2). */
export function getrlimit(resource: number): number {
  const limits = new BigUint64Array(2);
  getrlimitCall(resource, limits);
  return Number(limits[0]);
}

/** Sets both limits of this process, and of those that it starts. Source: setrlimit(2). */
export function setrlimit(resource: number, limit: number): void {
  setrlimitCall(resource, BigUint64Array.of(BigInt(limit), BigInt(limit)));
}

/** Has another process be allowed so many bytes of locked memory, or more, as root may. Source: prlimit(2). */
export function raiseLockable(pid: number, bytes: number): void {
  const prlimit = libcFunction<
    [pid: number, resource: number, given: BigUint64Array | null, old: BigUint64Array | null]
  >('prlimit', 'int', ['int', 'int', 'void *', 'void *']);
  const limits = new BigUint64Array(2);
  prlimit(pid, RLIMIT_MEMLOCK, null, limits);
  const [soft = NONE, hard = NONE] = limits;
  const wanted = BigInt(bytes);
  const atLeast = (limit: bigint) => (limit < wanted ? wanted : limit);
  if (soft < wanted) prlimit(pid, RLIMIT_MEMLOCK, BigUint64Array.of(wanted, atLeast(hard)), null);
}

/** Raises a soft limit to the hard one, which only root could raise further. Returns it: Infinity when there is none. */
export function raiseLimit(resource: number): number {
  const limits = new BigUint64Array(2);
  getrlimitCall(resource, limits);
  const [, hard = NONE] = limits;
  setrlimitCall(resource, BigUint64Array.of(hard, hard));
  return hard === NONE ? Number.POSITIVE_INFINITY : Number(hard);
}
