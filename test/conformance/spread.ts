import type { Calls } from '../support/calls/index.ts';

type AnyCall = (...args: unknown[]) => unknown;

/** Calls on an open file that say where in it, or where it doesn't matter: each may be made through any mount. */
const anywhere = new Set([
  ...[
    'pread',
    'pwrite',
    'fstat',
    'ftruncate',
    'fallocate',
    'fsync',
    'fdatasync',
    'fchmod',
    'fchown',
    'futimens',
  ],
]);

/**
 * The same calls, each on the next of several mounts of one file, where that can be: what opens the first opens all, and a call that
 * depends on the descriptor (its position, its lock, its mapping) is made on the first.
 */
export function spread(calls: Calls, files: readonly string[]): Calls {
  const opened = new Map<number, readonly number[]>();
  let count = 0;
  const next = () => count++ % files.length;
  const [first] = files;
  const open = (path: string, ...rest: [flags: number, mode?: number]) => {
    if (path !== first) return calls.open(path, ...rest);
    // The order too is another each time.
    const start = next();
    const order = files.map((_, i) => (start + i) % files.length);
    const fds = order.map((i) => calls.open(files[i] ?? path, ...rest));
    const [fd] = fds;
    if (typeof fd === 'number')
      opened.set(
        fd,
        fds.filter((one) => typeof one === 'number'),
      );
    return fd;
  };
  const close = (fd: number) => {
    const [own = fd, ...others] = opened.get(fd) ?? [];
    opened.delete(fd);
    for (const other of others) calls.close(other);
    return calls.close(own);
  };
  const entries = Object.entries(calls as unknown as Record<string, AnyCall>).map(([name, call]) => {
    const onNext: AnyCall = (on, ...rest) => {
      if (on === first && name !== 'rename') return call(files[next()], ...rest);
      // To touch what is past the end that this machine saw last is SIGBUS, and the end of the test: it looks before.
      if (name === 'mmap') calls.fstat(Number(on));
      const fds = typeof on === 'number' && anywhere.has(name) ? opened.get(on) : undefined;
      return call(fds?.[next() % fds.length] ?? on, ...rest);
    };
    return [name, onNext];
  });
  return { ...Object.fromEntries(entries), open, close } as Calls;
}

/** The same for what another process does: each of its calls with a path is on another mount. */
export function spreadClient<C extends object>(calls: C, files: readonly string[]): C {
  let count = 0;
  const [first] = files;
  const elsewhere = (arg: unknown) => (arg === first ? files[++count % files.length] : arg);
  const entries = Object.entries(calls as Record<string, AnyCall>).map(([name, call]) => [
    name,
    (...args: unknown[]) => call(...args.map(elsewhere)),
  ]);
  return Object.fromEntries(entries);
}

/** The same for the words of a program, or a line of a shell. */
export function spreadWords(words: readonly string[], files: readonly string[]): string[] {
  let count = 0;
  const [first = ''] = files;
  return words.map((word) => word.replaceAll(first, () => files[++count % files.length] ?? first));
}
