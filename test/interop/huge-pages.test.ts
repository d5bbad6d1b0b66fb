import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, fstatSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { UserSliceReader } from '../../src/proc-fs/user-slice.ts';
import { HugePages } from '../../src/ram-file/huge-pages.ts';
import { type Place, RamBuffer, type RamBufferOptions } from '../../src/ram-file/ram-buffer.ts';
import { RamFile, type RamFileState } from '../../src/ram-file/ram-file.ts';
import { Mutex } from '../../src/sync/mutex.ts';
import { collapse, mappedHuge } from '../../src/sys/huge-pages.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, MFD_CLOEXEC, memfdCreate } from '../../src/sys/memfd.ts';
import { mincore } from '../../src/sys/mmap.ts';
import { answer, must } from '../support/answer.ts';
import { pattern } from '../support/bytes.ts';
import { calls, MAP_SHARED, PROT_READ, SEEK_DATA, SEEK_HOLE } from '../support/calls/index.ts';
import { Cgroup } from '../support/cgroup.ts';
import { inHugePages } from '../support/memory.ts';
import { mount, run } from '../support/mount.ts';
import { openBacking } from '../support/page-references.ts';
import { compiled } from '../support/run.ts';
import { nextSeed } from '../support/seed.ts';
import type { HugePagesWorkerData } from './huge-pages-worker.ts';

const PAGE = 4096;
const MIB = 1 << 20;
const HUGE = 2 * MIB;
const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

/** Now and then, since who looks at a page keeps it from being moved. */
const POLL = { interval: 500 };

/** Whether this kernel makes huge pages when it is asked to: else there are none, and all the same is right. */
const canCollapse = (() => {
  const fd = memfdCreate('test', MFD_CLOEXEC);
  calls.pwrite(fd, Buffer.alloc(HUGE, 'x'), 0);
  const can = answer(() => mappedHuge(fd, 0, (address) => collapse(address))) === undefined;
  closeSync(fd);
  return can;
})();

/** Which ranges of 2 MiB of a file are huge pages, from the start to `length`. */
function hugeRanges(fd: number, length: number): boolean[] {
  const address = must(calls.mmap(fd, 0, length, PROT_READ, MAP_SHARED));
  const there = new Uint8Array(length / PAGE);
  mincore(address, length, there);
  const ranges = Array.from({ length: length / HUGE }, (_, i) => {
    const [first, end] = [(i * HUGE) / PAGE, ((i + 1) * HUGE) / PAGE];
    // Touching a hole would fill it; and what isn't touched shows in no page table.
    if (!there.subarray(first, end).every((page) => page & 1)) return false;
    for (let page = first; page < end; page++) calls.load(address + page * PAGE, 1);
    return inHugePages(address + first * PAGE, address + end * PAGE) === HUGE / PAGE;
  });
  must(calls.munmap(address, length));
  return ranges;
}

/** The same, where this kernel makes none. */
function expected(...ranges: boolean[]): boolean[] {
  return ranges.map((huge) => huge && canCollapse);
}

/** Where data starts and ends. */
function runsOf(fd: number): [start: number, end: number][] {
  const runs: [number, number][] = [];
  for (let at = calls.lseek(fd, 0, SEEK_DATA); typeof at === 'number'; ) {
    const end = must(calls.lseek(fd, at, SEEK_HOLE));
    runs.push([at, end]);
    at = calls.lseek(fd, end, SEEK_DATA);
  }
  return runs;
}

/** Whatever can be seen of a file but its times, one of which moves when its bytes are looked at. */
function seen(fd: number): unknown {
  const { size, blocks } = fstatSync(fd);
  const content = createHash('sha256')
    .update(must(calls.pread(fd, size, 0)))
    .digest('hex');
  return { size, blocks, runs: runsOf(fd), content };
}

/** A file whose huge pages are made step by step. */
class Stepped implements Disposable {
  readonly file: RamFile;
  readonly buffer: RamBuffer;
  readonly state: RamFileState;
  readonly #hugePages: HugePages;

  constructor(options: Partial<RamBufferOptions>) {
    this.buffer = RamBuffer.create({ name: 'test', maxSize: 64 * MIB, ...options });
    this.file = RamFile.create(this.buffer, 0o666, 0, 0);
    this.state = this.file.ops().placement.shared?.state as RamFileState;
    const mutex = new Mutex(this.state.mutex, null);
    this.#hugePages = new HugePages(this.buffer.state, (use) => {
      mutex.lock();
      try {
        return use();
      } finally {
        mutex.unlock();
      }
    });
  }

  get fd(): number {
    return this.buffer.state.fd;
  }

  write(offset: number, length: number): void {
    const bytes = pattern(offset, length);
    for (let done = 0; done < length; ) {
      const slice = new UserSliceReader().place(bytes, done, length - done);
      done += this.file.write(null, slice, offset + done);
    }
  }

  /** Makes all that there are to make. The first looks may find that the file is being filled. */
  settle(): void {
    for (let idle = 0; idle < 3; ) idle = this.step() ? 0 : idle + 1;
  }

  step(): boolean {
    return this.#hugePages.step();
  }

  [Symbol.dispose](): void {
    this.#hugePages[Symbol.dispose]();
    this.file.teardown();
  }
}

describe.each<Place>(['memfd', 'lent'])(
  'huge pages of a file whose bytes are in a place that is %s',
  (place) => {
    test('are made of the full ranges of 2 MiB, and nothing else can be seen of it', () => {
      using at = new Stepped({ place });
      at.write(0, 5 * HUGE);
      // A page missing in the second, written in part in the third, reserved in the fourth; and a fraction of the last.
      at.file.fallocate(null, PUNCH, HUGE + 7 * PAGE, PAGE);
      at.write(2 * HUGE + 100, PAGE);
      at.file.fallocate(null, PUNCH, 4 * HUGE - PAGE, PAGE);
      at.file.fallocate(null, FALLOC_FL_KEEP_SIZE, 4 * HUGE - PAGE, PAGE);
      at.file.truncate(5 * HUGE - PAGE - 10);
      const before = seen(at.fd);
      at.settle();
      expect(seen(at.fd)).toEqual(before);
      expect(hugeRanges(at.fd, 5 * HUGE)).toEqual(expected(true, false, true, false, false));
    });

    test("don't move the file's times while they are made", () => {
      using at = new Stepped({ place });
      at.write(0, 2 * HUGE);
      const times = () => {
        const { atimeNs, mtimeNs, ctimeNs } = fstatSync(at.fd, { bigint: true });
        return { atimeNs, mtimeNs, ctimeNs };
      };
      const before = times();
      at.settle();
      expect(times()).toEqual(before);
    });

    test('give their memory back to the page, and are made again when they are full again', () => {
      using at = new Stepped({ place });
      const used = () => fstatSync(at.fd).blocks * 512;
      at.write(0, 4 * HUGE);
      at.settle();
      expect(hugeRanges(at.fd, 4 * HUGE)).toEqual(expected(true, true, true, true));

      at.file.fallocate(null, PUNCH, HUGE + PAGE, PAGE);
      expect(used()).toBe(4 * HUGE - PAGE);
      at.file.fallocate(null, PUNCH, HUGE + 10 * PAGE - 1, PAGE + 2);
      expect(used()).toBe(4 * HUGE - 2 * PAGE);
      at.file.truncate(2 * HUGE + 3 * PAGE - 1);
      expect(used()).toBe(2 * HUGE + PAGE);
      at.settle();
      expect(used()).toBe(2 * HUGE + PAGE);
      expect(hugeRanges(at.fd, 4 * HUGE)).toEqual(expected(true, false, false, false));

      at.write(HUGE, 3 * HUGE);
      at.settle();
      expect(used()).toBe(4 * HUGE);
      expect(hugeRanges(at.fd, 4 * HUGE)).toEqual(expected(true, true, true, true));
      expect(must(calls.pread(at.fd, 4 * HUGE, 0)).equals(pattern(0, 4 * HUGE))).toBe(true);
      at.file.truncate(0);
      expect(used()).toBe(0);
    });

    test('are made far from the start too, and looked for nowhere between', () => {
      using at = new Stepped({ place });
      const far = 2 ** 50;
      at.write(0, HUGE);
      at.write(far - PAGE, HUGE + PAGE);
      at.settle();
      expect(runsOf(at.fd)).toEqual([
        [0, HUGE],
        [far - PAGE, far + HUGE],
      ]);
      const isHuge = mappedHuge(at.fd, far, (address) => {
        calls.load(address, 1);
        return inHugePages(address, address + PAGE) === 1;
      });
      expect(isHuge).toBe(canCollapse);
    });

    test('are not made of what is taken away meanwhile, nor in the way of giving memory back', async () => {
      using at = new Stepped({ place });
      const length = 8 * HUGE;
      at.write(0, length);
      const stop = new Int32Array(new SharedArrayBuffer(4));
      const start = (act: HugePagesWorkerData['act']) => {
        const workerData: HugePagesWorkerData = {
          act,
          state: at.state,
          pages: length / PAGE,
          rounds: 100,
          seed: nextSeed(),
          stop,
        };
        const worker = new Worker(compiled(join(import.meta.dirname, 'huge-pages-worker.ts')), {
          workerData,
        });
        return once(worker, 'message').then(([wrong]) => Number(wrong));
      };
      // Only of a lent file can somebody else refer to a page while it is taken away.
      const readers = place === 'lent' ? [start('read'), start('read')] : [];
      const shrinking = start('shrink');
      let wrong: number | undefined;
      shrinking.then((answer) => {
        wrong = answer;
      });
      let made = 0;
      while (wrong === undefined) {
        if (at.step()) made++;
        await setImmediate();
      }
      Atomics.store(stop, 0, 1);
      await Promise.all(readers);
      expect(wrong).toBe(0);
      expect(made).toBeGreaterThan(10);
    });
  },
);

test("a lent file that another control group filled stays as it is, and counts as that group's memory", async () => {
  await using group = new Cgroup('memory');
  using at = new Stepped({ place: 'lent' });
  const path = `/proc/${process.pid}/fd/${at.fd}`;
  const line =
    'echo 0 >"$1/cgroup.procs" && exec dd if=/dev/zero of="$2" bs=1M count=8 conv=notrunc status=none';
  expect(await run('sh', '-c', line, 'sh', group.dir, path)).toEqual({ status: 0, stdout: '', stderr: '' });
  at.write(4 * HUGE, HUGE);
  const used = () => Number(group.get('memory.usage_in_bytes'));
  expect(used()).toBeGreaterThan(7 * MIB);
  at.settle();
  expect(hugeRanges(at.fd, 5 * HUGE)).toEqual(expected(false, false, false, false, true));
  expect(used()).toBeGreaterThan(7 * MIB);
});

describe.each(['direct', 'cached', 'passthrough'])('a mount with %s I/O', (io) => {
  test('has huge pages soon after it was filled, and is the same file as before', async () => {
    await using at = await mount(['--io', io]);
    const ended = await run('dd', 'if=/dev/urandom', `of=${at.file}`, 'bs=1M', 'count=33', 'status=none');
    expect(ended.stderr).toBe('');
    const backing = openBacking(at.pid);
    const before = seen(backing);
    const huge = expected(...Array(16).fill(true), false);
    await expect.poll(() => hugeRanges(backing, 34 * MIB), POLL).toEqual(huge);
    const fd = must(calls.open(at.file, constants.O_RDWR));
    expect(seen(fd)).toEqual(before);
    expect(seen(backing)).toEqual(before);
    expect(calls.pwrite(fd, 'text', HUGE - 2)).toBe(4);
    expect(must(calls.pread(fd, 4, HUGE - 2)).toString()).toBe('text');
    expect(calls.fallocate(fd, PUNCH, HUGE, PAGE)).toBe(0);
    expect(calls.ftruncate(fd, 3 * HUGE + 1)).toBe(0);
    expect(calls.fstat(fd)).toMatchObject({ size: 3 * HUGE + 1, blocks: (3 * HUGE) / 512 });
    closeSync(fd);
    closeSync(backing);
  });
});

test('a secret has none: its pages would be given back with its bytes in them', async () => {
  await using open = await mount([]);
  await using secret = await mount(['--secret']);
  for (const { file } of [secret, open]) {
    await run('dd', 'if=/dev/urandom', `of=${file}`, 'bs=1M', 'count=4', 'status=none');
  }
  const [plain, kept] = [openBacking(open.pid), openBacking(secret.pid)];
  await expect.poll(() => hugeRanges(plain, 4 * MIB), POLL).toEqual(expected(true, true));
  // Whoever makes them for the one would have made them for the other by now.
  await sleep(1500);
  expect(hugeRanges(kept, 4 * MIB)).toEqual([false, false]);
  closeSync(plain);
  closeSync(kept);
});
