import { readFileSync } from 'node:fs';
import { libcFunction } from './libc.ts';

/** How many processors a cpu_set_t has room for. Source: sched_setaffinity(2). */
const SET_SIZE = 1024;

type Affinity = [pid: number, size: number, set: Uint8Array];
const parameters = ['int', 'size_t', 'void *'];
const getaffinity = libcFunction<Affinity>('sched_getaffinity', 'int', parameters);
const setaffinity = libcFunction<Affinity>('sched_setaffinity', 'int', parameters);

/** How many processors this machine can have, those included that aren't there yet. Source: sysfs-devices-system-cpu, "possible". */
export function possibleProcessors(): number {
  const [last = '0'] = readFileSync('/sys/devices/system/cpu/possible', 'latin1').match(/\d+\s*$/) ?? [];
  return Number(last) + 1;
}

/** Where the thread may run that loaded this. */
const allowed = new Uint8Array(SET_SIZE / 8);
getaffinity(0, allowed.length, allowed);

/** Has the calling thread run on those of these processors that it may run on; on any, if it may run on none. */
export function runOn(processors: readonly number[]): void {
  const wanted = new Uint8Array(SET_SIZE / 8);
  for (const one of processors) {
    const byte = one >>> 3;
    wanted[byte] = (wanted[byte] ?? 0) | ((allowed[byte] ?? 0) & (1 << (one & 7)));
  }
  setaffinity(0, allowed.length, wanted.some((byte) => byte !== 0) ? wanted : allowed);
}
