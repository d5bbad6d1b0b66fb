import { constants } from 'node:os';
import { libcFunction } from './libc.ts';

/** rt_sigaction's number where it isn't that of most: asm-generic/unistd.h, and each architecture's own table. */
const RT_SIGACTION = { x64: 13, ia32: 174, arm: 174, s390x: 174, ppc64: 173 }[process.arch as string] ?? 134;

const SIG_DFL = 0n;
const SIG_IGN = 1n;

/** The last one, and the size of a set of them in bytes. */
const NSIG = 64;
const SET_SIZE = 8;

/** struct sigaction as the kernel has it: the handler first, then flags, a restorer, and the mask. */
const ACTION_WORDS = 4;

/**
 * The C library's sigaction(2) refuses two numbers that it keeps for its threads, 32 and 33. Who sends them all the same
 * ends a process that has no use for them.
 */
const syscall = libcFunction<
  [number: number, signal: number, action: BigUint64Array | null, old: BigUint64Array | null, size: number]
>('syscall', 'long', ['long', 'int', 'void *', 'void *', 'size_t']);

const {
  SIGBUS,
  SIGCHLD,
  SIGCONT,
  SIGFPE,
  SIGHUP,
  SIGILL,
  SIGINT,
  SIGKILL,
  SIGSEGV,
  SIGSTOP,
  SIGSYS,
  SIGTERM,
  SIGTRAP,
  SIGURG,
  SIGUSR1,
  SIGWINCH,
} = constants.signals;

/** What ends a program politely, what nobody can ignore, what a fault of its own is, and what the kernel ignores by itself. */
const left = new Set<number>([
  ...[SIGHUP, SIGINT, SIGTERM],
  ...[SIGKILL, SIGSTOP],
  ...[SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP],
  ...[SIGCHLD, SIGCONT, SIGURG, SIGWINCH],
]);

/**
 * Ignores each signal that would end or stop this process and isn't a way to tell it so. One that has a handler keeps it,
 * but for SIGUSR1, whose handler is Node's: it opens the debugger to all users of the machine. Source: signal(7).
 */
export function ignoreSignals(): void {
  for (let signal = 1; signal <= NSIG; signal++) {
    if (left.has(signal)) continue;
    if (signal === SIGUSR1 || handlerOf(signal) === SIG_DFL) ignore(signal);
  }
}

function handlerOf(signal: number): bigint | undefined {
  const old = new BigUint64Array(ACTION_WORDS);
  syscall(RT_SIGACTION, signal, null, old, SET_SIZE);
  return old[0];
}

function ignore(signal: number): void {
  const action = new BigUint64Array(ACTION_WORDS);
  action[0] = SIG_IGN;
  syscall(RT_SIGACTION, signal, action, null, SET_SIZE);
}
