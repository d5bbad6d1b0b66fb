import { libcFunction } from './libc.ts';

/** Source: asm-generic/resource.h. */
export const RLIMIT_CORE = 4;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;

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
