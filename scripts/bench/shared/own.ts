import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * What a benchmark of a shared file has for itself: a directory, an engine, mounts and processes. All of it is gone when this process ends, by a
 * signal and a closed pipe too, whatever it was about to do.
 */

export const dir = mkdtempSync(join(tmpdir(), 'ramproc-bench-'));
/** The engine's. */
export const socket = join(dir, 'socket');

const dirs: string[] = [];
const started = new Set<ChildProcess>();

/** A directory that may be mounted on. */
export function mountPoint(name: string): string {
  const at = join(dir, name);
  mkdirSync(at);
  dirs.push(at);
  return at;
}

/** Has a process end with this one. */
export function owned<P extends ChildProcess>(child: P): P {
  started.add(child);
  child.once('exit', () => started.delete(child));
  return child;
}

export const engine = owned(
  spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', dir, '--save', ''], {
    stdio: 'ignore',
  }),
);

process.on('exit', () => {
  for (const at of dirs) attempt(() => execFileSync('umount', ['-l', at], { stdio: 'ignore' }));
  for (const child of started) child.kill('SIGKILL');
  attempt(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 }));
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => process.exit(128 + constants.signals[signal]));

/** Nothing may be mounted yet, or any more. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {}
}
