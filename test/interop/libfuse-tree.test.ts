import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MNT_DETACH, umount2 } from '../../src/sys/mount.ts';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { must } from '../support/answer.ts';
import { calls } from '../support/calls/index.ts';
import { Client } from '../support/client.ts';
import type { Order } from '../support/libfuse-daemon.ts';
import { run } from '../support/mount.ts';
import { promptly } from '../support/promptly.ts';
import { compiled, makeDir } from '../support/run.ts';

const DAEMON = join(import.meta.dirname, '../support/libfuse-daemon.ts');
const { O_RDONLY } = constants;
const HELLO = Buffer.from('hello\n');

/** A process that serves the tree of `libfuse-daemon.ts`. Disposing it ends it. */
class Daemon implements AsyncDisposable {
  readonly dir: string;
  readonly late: string;
  readonly told: string;
  readonly #process: ChildProcess;
  readonly #said: string[] = [];
  /** Its exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;

  constructor(dir: string, words: readonly string[] = []) {
    this.dir = dir;
    this.late = `${dir}/late`;
    this.told = `${dir}/below/told`;
    this.#process = fork(compiled(DAEMON), [dir, ...words], { execArgv: [] });
    this.#process.on('message', (message) => this.#said.push(String(message)));
    this.ended = once(this.#process, 'exit').then(([status, signal]) => status ?? signal);
  }

  static async mounted(): Promise<Daemon> {
    const daemon = new Daemon(makeDir('libfuse'));
    expect(await daemon.says()).toBe('mounted');
    return daemon;
  }

  /** The next that it says. */
  async says(): Promise<string | undefined> {
    if (this.#said.length === 0) await Promise.race([once(this.#process, 'message'), this.ended]);
    return this.#said.shift();
  }

  order(order: Order['order']): void {
    this.#process.send({ order } satisfies Order);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
    if (mountAt(this.dir) !== undefined) umount2(this.dir, MNT_DETACH);
  }
}

describe('a tree over libfuse', () => {
  test('lists its entries with their kinds and inode numbers', async () => {
    await using daemon = await Daemon.mounted();
    const { stdout } = await run('find', daemon.dir, '-mindepth', '1', '-printf', '%P %y %m %i %n\\n');
    const lines = stdout.trim().split('\n').sort();
    expect(lines.map((line) => line.replace(/ \d+ (\d+)$/, ' $1'))).toEqual([
      'below d 755 2',
      'below/told f 444 1',
      'late f 444 1',
    ]);
    expect(new Set(lines.map((line) => line.split(' ').at(-2))).size).toBe(3);
  });

  test('serves other requests while a handler takes its time', async () => {
    await using daemon = await Daemon.mounted();
    await using client = await Client.start();
    const theirs = must(await client.sys.open(daemon.late, O_RDONLY));
    const fd = must(calls.open(daemon.late, O_RDONLY));
    const late = client.sys.pread(theirs, 100, 500);
    expect(await daemon.says()).toBe('read');
    expect(calls.pread(fd, 100, 0)).toEqual(HELLO);
    daemon.order('answer');
    expect(Buffer.from(must(await late))).toEqual(HELLO);
    expect(calls.close(fd)).toBe(0);
  });

  test('opens for nobody in particular, and releases once', async () => {
    await using daemon = await Daemon.mounted();
    const fd = must(calls.open(daemon.told, O_RDONLY));
    expect(await daemon.says()).toBe('open by 65534');
    expect(calls.close(fd)).toBe(0);
    expect(await daemon.says()).toBe('release');
    daemon.order('unmount');
    expect([await daemon.says(), await daemon.ended]).toEqual(['closed', 0]);
  });

  test('lets a file without lseek be read, but not at an offset', async () => {
    await using daemon = await Daemon.mounted();
    const fd = must(calls.open(daemon.told, O_RDONLY));
    expect(calls.read(fd, 100)).toEqual(HELLO);
    expect(calls.pread(fd, 100, 0)).toBe('ESPIPE');
    expect(calls.lseek(fd, 0, 0)).toBe('ESPIPE');
    expect(calls.close(fd)).toBe(0);
  });

  test('loses an entry at once, and who has it open keeps it', async () => {
    await using daemon = await Daemon.mounted();
    const fd = must(calls.open(daemon.told, O_RDONLY));
    expect(await daemon.says()).toBe('open by 65534');
    expect(calls.stat(daemon.told)).toMatchObject({ size: 0 });
    daemon.order('remove');
    while (typeof calls.stat(daemon.told) === 'object') await new Promise(setImmediate);
    expect(calls.stat(daemon.told)).toBe('ENOENT');
    expect(calls.readdir(`${daemon.dir}/below`)).toEqual([]);
    expect(calls.read(fd, 100)).toEqual(HELLO);
    expect(calls.fstat(fd)).toBe('ENOENT');
    expect(calls.close(fd)).toBe(0);
    expect(await daemon.says()).toBe('release');
  });

  test('ends by itself, with status 0, when somebody unmounts it', async () => {
    await using daemon = await Daemon.mounted();
    umount2(daemon.dir, 0);
    await promptly(daemon.ended, 'Its end');
    expect([await daemon.says(), await daemon.ended]).toEqual(['closed', 0]);
  });

  test('ends when its connection is cut, and what was open is released', async () => {
    await using daemon = await Daemon.mounted();
    const fd = must(calls.open(daemon.told, O_RDONLY));
    expect(await daemon.says()).toBe('open by 65534');
    umount2(daemon.dir, 1 | MNT_DETACH);
    expect(calls.read(fd, 100)).toBe('ENOTCONN');
    expect([await daemon.says(), await daemon.says(), await daemon.ended]).toEqual(['release', 'closed', 0]);
    calls.close(fd);
  });

  test('does not hold up process.exit, and goes with it', async () => {
    await using daemon = await Daemon.mounted();
    daemon.order('exit');
    expect(await promptly(daemon.ended, 'Its end')).toBe(3);
    expect(mountAt(daemon.dir)).toBeUndefined();
    expect(calls.stat(daemon.late)).toBe('ENOENT');
  });

  test('says in one sentence why it cannot be mounted, and leaves nothing behind', async () => {
    const dir = makeDir('libfuse');
    writeFileSync(`${dir}/file`, '');
    mkdirSync(`${dir}/mount`);
    const refusals = [
      { at: 'none', words: [], why: 'there is no such directory; create it with "mkdir"' },
      { at: 'file', words: [], why: 'it is not a directory; choose one' },
      { at: 'mount', words: ['bogus'], why: '"bogus" is no word of mount(8)' },
      {
        at: 'mount',
        words: Array(400).fill('ro'),
        why: 'fuse-native takes paths and options of up to 1023 bytes',
      },
    ];
    for (const { at, words, why } of refusals) {
      await using daemon = new Daemon(`${dir}/${at}`, words);
      expect(await daemon.says()).toBe(`MountError: Cannot mount on "${dir}/${at}": ${why}.`);
      expect(await daemon.ended).toBe(0);
      expect(mountAt(`${dir}/${at}`)).toBeUndefined();
    }
    expect(statSync(`${dir}/mount`).isDirectory()).toBe(true);
  });
});
