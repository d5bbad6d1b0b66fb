import { libcFunction } from './libc.ts';

/** Waits until nobody else has the lock, then has it until the descriptor is closed. */
export const LOCK_EX = 2;

/** Source: flock(2). */
export const flock = libcFunction<[fd: number, operation: number]>('flock', 'int', ['int', 'int']);
