import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { flock, LOCK_EX, LOCK_NB } from '../../../src/sys/flock.ts';

/** Source: flock(2). */
const LOCK_UN = 8;

/** What a client is to do. */
export type Order =
  | { do: 'rates'; file: string; seconds: number; size: number }
  | { do: 'shows' | 'locks'; file: string; other: string }
  | { do: 'append'; file: string; who: string }
  | { do: 'count'; file: string; from: number };

/** What it saw: calls a second, milliseconds, and counts. */
export interface Figures {
  readonly open?: number;
  readonly read4k?: number;
  readonly write4k?: number;
  readonly read1m?: number;
  readonly write1m?: number;
  readonly append?: number;
  readonly lock?: number;
  readonly shows?: number;
  readonly appended?: number;
  readonly found?: number;
  readonly lost?: number;
  readonly holds?: boolean;
}

const RECORD = 32;

process.once('message', async (order: Order) => {
  process.send?.(await done(order));
});

async function done(order: Order): Promise<Figures> {
  switch (order.do) {
    case 'rates':
      return rates(order);
    case 'shows':
      return shows(order.file, order.other);
    case 'append':
      return append(order.file, order.who);
    case 'count':
      return { found: count(order.file, order.from) };
    case 'locks':
      return locks(order.file, order.other);
  }
}

/** How often something can be done in a second; undefined when it can't. */
function rate(seconds: number, once: () => void): number | undefined {
  try {
    once();
    const end = performance.now() + seconds * 1000;
    const began = performance.now();
    let times = 0;
    do {
      once();
      times++;
    } while (performance.now() < end);
    return (times * 1000) / (performance.now() - began);
  } catch {
    return undefined;
  }
}

/** A write counts when others can see it: it is synced, which costs ramproc a round trip more than it takes. */
function rates({ file, seconds, size }: { file: string; seconds: number; size: number }): Figures {
  const open = rate(seconds, () => closeSync(openSync(file, 'r')));
  const fd = openSync(file, 'r+');
  const at = (length: number) => Math.floor(Math.random() * (size / length)) * length;
  const bytes = Buffer.alloc(1 << 20, 'y');
  const read = (length: number) => rate(seconds, () => readSync(fd, bytes, 0, length, at(length)));
  const write = (length: number) =>
    rate(seconds, () => {
      writeSync(fd, bytes, 0, length, at(length));
      fsyncSync(fd);
    });
  const [read4k, write4k, read1m, write1m] = [read(4096), write(4096), read(1 << 20), write(1 << 20)];
  closeSync(fd);
  const record = Buffer.alloc(RECORD, 'z');
  const append = rate(seconds, () => {
    const end = openSync(file, 'a');
    writeSync(end, record);
    closeSync(end);
  });
  const held = openSync(file, 'r+');
  const lock = rate(seconds, () => {
    flock(held, LOCK_EX);
    flock(held, LOCK_UN);
  });
  ftruncateSync(held, size);
  fsyncSync(held);
  closeSync(held);
  return { open, read4k, write4k, read1m, write1m, append, lock } as Figures;
}

/** The median of some changes, until the other mount has them. */
async function shows(file: string, other: string): Promise<Figures> {
  const took: number[] = [];
  for (let i = 0; i < 7; i++) {
    const text = Buffer.from(`change ${i} ${Math.random()}`.padEnd(RECORD));
    const began = performance.now();
    const fd = openSync(file, 'r+');
    writeSync(fd, text, 0, text.length, 0);
    closeSync(fd);
    for (;;) {
      const seen = Buffer.alloc(text.length);
      const look = openSync(other, 'r');
      readSync(look, seen, 0, seen.length, 0);
      closeSync(look);
      if (seen.equals(text)) break;
      if (performance.now() - began > 15_000) return {};
      await sleep(1);
    }
    took.push(performance.now() - began);
    await sleep(200);
  }
  return { shows: took.toSorted((a, b) => a - b)[3] ?? 0 };
}

/** Appends records by one descriptor, which another does beside it. */
async function append(file: string, who: string): Promise<Figures> {
  let appended = 0;
  const fd = openSync(file, 'a');
  for (let i = 0; i < 200; i++) {
    writeSync(fd, `${`${who}.${i}`.padEnd(RECORD - 1, '.')}\n`);
    appended++;
    if (i % 10 === 0) await sleep(1);
  }
  closeSync(fd);
  return { appended };
}

/** How many records there are, each once. */
function count(file: string, from: number): number {
  const lines = readFileSync(file).subarray(from).toString('latin1').split('\n');
  return new Set(lines.filter((line) => /^[01]\.\d+\.+$/.test(line) && line.length === RECORD - 1)).size;
}

/** Whether a lock on one mount keeps others out on the other. */
function locks(file: string, other: string): Figures {
  flock(openSync(file, 'r+'), LOCK_EX);
  try {
    flock(openSync(other, 'r+'), LOCK_EX | LOCK_NB);
    return { holds: false };
  } catch {
    return { holds: true };
  }
}
