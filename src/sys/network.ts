import { closeSync, openSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { libcFunction } from './libc.ts';
import { attempt, processes } from './processes.ts';

const CLONE_NEWNET = 0x40000000;

/** The flag of a socket that is listened on (__SO_ACCEPTCON), as /proc/net/unix shows it. */
const LISTENING = '00010000';

const setns = libcFunction<[namespace: number, kind: number]>('setns', 'int', ['int', 'int']);

/**
 * The abstract names of unix sockets that somebody listens on in a process's network namespace, as far as they begin with
 * `prefix` and have no white space. Abstract names are per network namespace. Source: unix(7), network_namespaces(7).
 */
export function namesListenedOn(pid: number | 'self', prefix: string): string[] {
  return readFileSync(`/proc/${pid}/net/unix`, 'latin1')
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([, , , flags, , , , path = '']) => flags === LISTENING && path.startsWith(`@${prefix}`))
    .map(([, , , , , , , path = '']) => path.slice(1));
}

/** A process of each other network namespace, as far as /proc shows one; one that lets us enter, if there is one. */
export function otherNetworks(): number[] {
  // Each has files of its own in /proc/PID/net, and unlike /proc/PID/ns/net everybody may look at them.
  const networkOf = (pid: number | 'self') => attempt(() => statSync(`/proc/${pid}/net/unix`).ino);
  const lets = (pid: number) => attempt(() => readlinkSync(`/proc/${pid}/ns/net`)) !== undefined;
  const own = networkOf('self');
  const found = new Map<number, { readonly pid: number; readonly lets: boolean }>();
  for (const pid of processes()) {
    const network = networkOf(pid);
    if (network === undefined || network === own) continue;
    const before = found.get(network);
    if (before === undefined || (!before.lets && lets(pid))) found.set(network, { pid, lets: lets(pid) });
  }
  return [...found.values()].map(({ pid }) => pid);
}

/**
 * Calls `call` with this thread in a process's network namespace. A socket stays in the one that it was made in. Throws an
 * Errno, EPERM or EACCES without CAP_SYS_ADMIN in both. Source: setns(2).
 */
export function inNetworkOf<T>(pid: number, call: () => T): T {
  const own = openSync('/proc/thread-self/ns/net', 'r');
  try {
    enter(`/proc/${pid}/ns/net`);
    try {
      return call();
    } finally {
      setns(own, CLONE_NEWNET);
    }
  } finally {
    closeSync(own);
  }
}

function enter(namespace: string): void {
  const fd = openSync(namespace, 'r');
  try {
    setns(fd, CLONE_NEWNET);
  } finally {
    closeSync(fd);
  }
}
