import koffi, { type KoffiFunc } from 'koffi';
import { Errno } from './errno.ts';

/** The C library that this process already runs on, glibc or musl. */
export const libc = koffi.load(null);

/**
 * A C function that answers -1 and sets errno when it fails: here it throws that errno, with the function's name.
 *
 * koffi reads errno on the same thread right after the call, before anything else can overwrite it.
 */
export function libcFunction<Arguments extends unknown[]>(
  name: string,
  result: string,
  parameters: string[],
): (...args: Arguments) => number {
  const call: KoffiFunc<(...args: Arguments) => number> = libc.func(name, result, parameters);
  return (...args) => {
    const answer: number = call(...args);
    if (answer === -1) throw new Errno(koffi.errno(), name);
    return answer;
  };
}

/** Where a buffer's bytes lie, for structs that hold pointers. The buffer must stay referenced meanwhile. */
export function addressOf(bytes: Uint8Array): bigint {
  return BigInt(koffi.address(bytes));
}
