import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMAND, type Ended, run } from './mount.ts';
import { NOBODY } from './nobody.ts';
import { makeDir } from './run.ts';

/** A new directory to run shell scripts in, with the command `ramproc` in it. */
export function shellDir(): string {
  const dir = makeDir('shell');
  writeFileSync(join(dir, 'ramproc'), `#!/bin/sh\nexec "${process.execPath}" "${COMMAND}" "$@"\n`, {
    mode: 0o755,
  });
  return dir;
}

/** Runs a script of bash in such a directory. */
export function bash(dir: string, script: string): Promise<Ended> {
  return run(...shell(dir, script));
}

/** The same as nobody, to whom the directory then belongs. */
export function bashAsNobody(dir: string, script: string): Promise<Ended> {
  chownSync(dir, NOBODY, NOBODY);
  return run(
    'setpriv',
    '--reuid',
    `${NOBODY}`,
    '--regid',
    `${NOBODY}`,
    '--clear-groups',
    ...shell(dir, script),
  );
}

function shell(dir: string, script: string): [program: string, ...parameters: string[]] {
  return ['env', '-C', dir, `PATH=${dir}:${process.env.PATH}`, 'bash', '-c', script];
}

/**
 * A script for a mount namespace of its own, without the other mounts of ours that there are, but perhaps one: it would keep
 * them alive, and might unmount them.
 */
export function aloneWith({ dir = '' }: { readonly dir?: string }, script: string): string {
  const others = `awk -v dir="${dir}" '$3 == "fuse.ramproc" && $2 != dir { print $2 }' /proc/self/mounts`;
  return `${others} | xargs -r umount -l 2>/dev/null; ${script}`;
}
