import { libcFunction } from './libc.ts';

/** Source: linux/prctl.h. */
const PR_SET_DUMPABLE = 4;
const PR_SET_NAME = 15;
const PR_SET_NO_NEW_PRIVS = 38;

const prctl = libcFunction<[option: number, ...rest: [number, number, number, number]]>('prctl', 'int', [
  'int',
  'ulong',
  'ulong',
  'ulong',
  'ulong',
]);

/** Has the kernel write no core of this process, and only root trace it or look into its /proc/PID/mem. Source: prctl(2). */
export function notDumpable(): void {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/** Keeps this thread, and what it starts from now on, from gaining privileges by execve(2). Source: prctl(2). */
export function noNewPrivileges(): void {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

const prctlName = libcFunction<[option: number, name: string]>('prctl', 'int', ['int', 'str']);

/** Gives this thread its name, of up to 15 bytes; that of the first one is the process's. Source: prctl(2). */
export function setName(name: string): void {
  prctlName(PR_SET_NAME, name);
}
