import { libcFunction } from './libc.ts';

/** Source: ioctl(2). The argument is a number, for commands that take none or an int. */
export const ioctl = libcFunction<[fd: number, request: number, argument: number]>('ioctl', 'int', [
  'int',
  'ulong',
  'ulong',
]);
