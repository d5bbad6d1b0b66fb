import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EAGAIN, Errno } from '../../src/sys/errno.ts';
import { flock, LOCK_EX, LOCK_NB } from '../../src/sys/flock.ts';
import { attempt } from '../../src/sys/processes.ts';

const PARAMETER = '/sys/module/fuse/parameters/enable_uring';

/** Whether this kernel has io_uring for FUSE, be it on or off. */
export const hasUring = attempt(() => readFileSync(PARAMETER)) !== undefined;

if (!hasUring)
  console.warn(`This kernel has no io_uring for FUSE (${PARAMETER}): mounts over it are not tested.`);

/** Has the fuse module offer io_uring while `during` mounts, which is when that is agreed on, and puts back what was. */
export function withUring<T>(during: () => Promise<T>): Promise<T> {
  return withParameter('Y', during);
}

/** Has it offer none meanwhile. */
export function withoutUring<T>(during: () => Promise<T>): Promise<T> {
  return withParameter('N', during);
}

/** It is one parameter for the whole machine, so only one test at a time changes it. */
async function withParameter<T>(value: string, during: () => Promise<T>): Promise<T> {
  const fd = openSync(PARAMETER, 'r');
  try {
    await locked(fd);
    const before = readFileSync(PARAMETER, 'utf8');
    const putBack = () => writeFileSync(PARAMETER, before);
    process.on('exit', putBack);
    try {
      writeFileSync(PARAMETER, value);
      return await during();
    } finally {
      putBack();
      process.off('exit', putBack);
    }
  } finally {
    closeSync(fd);
  }
}

/** Others may be in this very process, so it waits without blocking it. */
async function locked(fd: number): Promise<void> {
  for (;;) {
    try {
      flock(fd, LOCK_EX | LOCK_NB);
      return;
    } catch (error) {
      if (!(error instanceof Errno && error.errno === EAGAIN)) throw error;
    }
    await sleep(20);
  }
}
