import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mount } from './contender.ts';

/** How long a server may take to mount, and one that is unmounted to end, in milliseconds. */
const PATIENCE = 10_000;

/** Starts a server that mounts on `dir`, stays in the foreground and shows a file with the name `file`. */
export async function startServer(dir: string, command: string, ...parameters: string[]): Promise<Mount> {
  const child = spawn(command, [...parameters, dir], {
    // Out of reach of the terminal's Ctrl-C, which is for the bench: it unmounts first.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      reject(new Error(`The server ended with ${signal ?? code}: ${lastWords(said)}`));
    });
  });
  const file = join(dir, 'file');
  try {
    await Promise.race([appeared(file), failed]);
  } catch (error) {
    await end(child);
    if (isMounted(dir)) unmount(dir);
    throw error;
  }
  // From now on its end is no failure to start, and nobody waits for that promise.
  failed.catch(() => {});
  return {
    file,
    pid: child.pid,
    async unmount() {
      unmount(dir);
      await end(child);
    },
  };
}

/** The message of an uncaught error, which Node prints above its stack, or the last line of another program. */
function lastWords(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? 'it said nothing').trim();
}

/** One that begins without a file gets it from us. */
async function appeared(file: string): Promise<void> {
  for (const limit = Date.now() + PATIENCE; !existsSync(file); await sleep(1)) {
    if (isMounted(dirname(file))) {
      writeFileSync(file, '', { flag: 'a' });
      return;
    }
    if (Date.now() > limit) throw new Error(`${file} did not appear within ${PATIENCE / 1000} s.`);
  }
}

function isMounted(dir: string): boolean {
  return readFileSync('/proc/mounts', 'utf8').includes(` ${dir} `);
}

/** As root without fusermount3, which may be missing then. Throws what the command said. */
export function unmount(dir: string): void {
  const [command, ...parameters] =
    process.geteuid?.() === 0 ? ['umount', '--lazy', dir] : ['fusermount3', '-u', '-z', dir];
  const { error, status, stderr } = spawnSync(command, parameters, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr.trim());
}

/** fuse-native's process lives on without its mount, and libfuse's takes a second to go. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** Waits for a process that isn't our child to end. */
export async function ended(pid: number): Promise<void> {
  for (const limit = Date.now() + PATIENCE; existsSync(`/proc/${pid}`); await sleep(5)) {
    if (Date.now() > limit) {
      throw new Error(`Process ${pid} did not end within ${PATIENCE / 1000} s of its unmount.`);
    }
  }
}
