import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../support/answer.ts';
import { isPatternOrHole, pattern } from '../support/bytes.ts';
import { calls } from '../support/calls/index.ts';
import { Client } from '../support/client.ts';
import { kinds } from '../support/kinds.ts';
import { type Mount, mount, run, untilWorkerServes } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';

const MIB = 1 << 20;
const { O_RDWR, O_DIRECT } = constants;

/** How much a daemon's own memory may grow under a load, in bytes; the file's isn't part of it. */
const GROWTH = 64 * MIB;

/** How often each of the things that a mode of hostile.c counts comes at least. */
const TIMES = 100;

/** How long the file's size changes at a time, in milliseconds. */
const RESIZING = 100;

let hostile: string;
beforeAll(() => {
  hostile = join(makeDir('hostile'), 'hostile');
  execFileSync('gcc', ['-O1', '-o', hostile, join(import.meta.dirname, 'hostile.c')]);
});

/** What the daemon's heap and stacks take, in bytes. Source: proc_pid_status(5). */
function ownMemory({ pid }: Mount): number {
  const [, kib] = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^RssAnon:\s+(\d+) kB$/m) ?? [];
  return Number(kib) * 1024;
}

function openDescriptors({ pid }: Mount): number {
  return Number(execFileSync('bash', ['-c', `ls /proc/${pid}/fd | wc -l`], { encoding: 'utf8' }));
}

/** The counts that a mode of hostile.c prints. Throws what it says when it fails. */
async function play(mode: string, file: string): Promise<Record<string, number>> {
  const { stdout, stderr } = await run(hostile, mode, file, String(TIMES));
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe.each(kinds)('%s: the daemon serves on', (kind, options) => {
  let at: Mount;
  let client: Client;
  beforeAll(async () => {
    at = await mount(options);
    client = await Client.start();
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await at[Symbol.asyncDispose]();
  });

  /** The file's bytes, read through a new descriptor. */
  function content(): Buffer {
    const fd = must(calls.open(at.file, O_RDWR));
    const bytes = must(calls.pread(fd, must(calls.fstat(fd)).size, 0));
    must(calls.close(fd));
    return bytes;
  }

  test('thousands of open descriptors, and needs none and no memory for them', async () => {
    must(calls.truncate(at.file, 0));
    await untilWorkerServes(at);
    const [memory, descriptors] = [ownMemory(at), openDescriptors(at)];
    const fds = await client.sys.openMany(at.file, 4000);
    // A further worker, which may be started meanwhile, has three.
    expect(openDescriptors(at) - descriptors).toBeLessThan(10);
    expect(await client.sys.useMany(fds)).toEqual({ data: 4000 });
    expect(ownMemory(at) - memory).toBeLessThan(GROWTH);
    expect(content()).toEqual(pattern(0, 4009));
  });

  test.each(['flood', 'flood-restart'])(
    'a client with 1,000 signals a second (%s): its file is what its calls said',
    async (mode) => {
      const { signals = 0, written = 0, read = 0 } = await play(mode, at.file);
      expect(Math.min(signals, written, read)).toBeGreaterThanOrEqual(TIMES);
    },
  );

  test('writers that are killed: all that they were told is written is there', async () => {
    const [block, blocks] = [64 << 10, 256];
    for (let i = 0; i < 5; i++) {
      must(calls.truncate(at.file, 0));
      const writer = spawn(hostile, ['append', at.file, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
      let told = 0;
      writer.stdout.on('data', (dots: Buffer) => {
        told += dots.length;
      });
      await expect.poll(() => told, { interval: 3 }).toBeGreaterThan(30 * i);
      await kill(writer);
      const bytes = content();
      // What is in the place of a block that was to be overwritten next is the only one that can be in two parts.
      for (let n = Math.max(0, told - blocks + 1); n < told; n++) {
        const start = (n % blocks) * block;
        expect(bytes.subarray(start, start + block).equals(Buffer.alloc(block, 97 + (n % 26)))).toBe(true);
      }
      expect(bytes.length).toBeLessThanOrEqual(Math.min(told + 1, blocks) * block);
    }
  });

  test('readers that stop half way, or stand still', async () => {
    must(calls.truncate(at.file, 0));
    const fd = must(calls.open(at.file, O_RDWR));
    must(calls.pwrite(fd, pattern(0, 16 * MIB), 0));
    const still = spawn('bash', ['-c', 'exec cat "$0" | sleep infinity', at.file], {
      detached: true,
      stdio: 'ignore',
    });
    const read = `for i in $(seq 20); do head -c 16M "$0" | head -c 100000 | sha256sum & done; wait`;
    const { stdout } = await run('bash', '-c', read, at.file);
    expect(new Set(stdout.trim().split('\n')).size).toBe(1);
    expect(stdout.trim().split('\n')).toHaveLength(20);
    expect(must(calls.pread(fd, 16 * MIB, 0)).equals(pattern(0, 16 * MIB))).toBe(true);
    must(calls.close(fd));
    await kill(still);
  });

  test('a hundred dd at once: each finds its bytes, and the daemon stays as it was', async () => {
    must(calls.truncate(at.file, 0));
    const memory = ownMemory(at);
    const bomb = `
      for i in $(seq 0 99); do
        { yes $i | dd of="$0" bs=4k count=32 seek=$((i * 32)) conv=notrunc iflag=fullblock status=none || echo $i; } &
      done
      wait`;
    expect(await run('bash', '-c', bomb, at.file)).toEqual({ status: 0, stdout: '', stderr: '' });
    const piece = 32 * 4096;
    const wanted = Array.from({ length: 100 }, (_, i) => Buffer.alloc(piece, `${i}\n`));
    expect(content().equals(Buffer.concat(wanted))).toBe(true);
    expect(ownMemory(at) - memory).toBeLessThan(GROWTH);
  });

  test('O_DIRECT at odd offsets and of odd lengths', () => {
    must(calls.truncate(at.file, 0));
    const fd = must(calls.open(at.file, O_RDWR | O_DIRECT));
    for (const [offset, length] of [
      [1, 3],
      [511, 513],
      [4095, 2],
      [4097, 100_001],
      [1_000_003, MIB + 5],
    ] as const) {
      // From memory that starts nowhere in particular.
      expect(calls.pwrite(fd, Buffer.concat([pattern(offset, length)]).subarray(1), offset + 1)).toBe(
        length - 1,
      );
      expect(must(calls.pread(fd, length - 1, offset + 1)).equals(pattern(offset + 1, length - 1))).toBe(
        true,
      );
    }
    must(calls.close(fd));
    expect(isPatternOrHole(content(), 0)).toBe(true);
  });

  // Over libfuse 2 there are no shared mappings: see LibfuseMount.
  if (kind !== 'libfuse') {
    test('writers through a mapping while the file is cut', async () => {
      must(calls.truncate(at.file, 0));
      let isPlaying = true;
      const playing = play('map', at.file).finally(() => {
        isPlaying = false;
      });
      while (isPlaying) expect(Object.keys(await client.sys.resize(at.file, RESIZING))).toEqual(['data']);
      const { stores = 0, buses = 0 } = await playing;
      expect(Math.min(stores, buses)).toBeGreaterThanOrEqual(TIMES);
      expect(isPatternOrHole(content(), 0)).toBe(true);
    });
  }
});

/** Ends a process, and those of its group if it leads one. */
async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  const { pid = 0 } = child;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
  await closed;
}
