import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FUSE_ROOT_ID, Opcode } from '../../../src/abi/fuse.ts';
import { fuseGetattrIn, fuseInHeader } from '../../../src/abi/structs.ts';
import { ProcDirEntry } from '../../../src/proc-fs/entries/entry.ts';
import { Event } from '../../../src/sys/eventfd.ts';
import { allocateTurn } from '../../../src/transport/kernel/channel/turn.ts';
import { Draining } from '../../../src/transport/kernel/main-thread/draining.ts';
import { TreeServer } from '../../../src/transport/kernel/main-thread/tree-server.ts';
import type { Call } from '../../../src/transport/kernel/wire/call.ts';
import { type Channel, Next } from '../../../src/transport/kernel/wire/channel.ts';
import { NO_USAGE } from '../../../src/transport/usage.ts';

/** A channel that always has another request, until it is told otherwise or has had them for ten seconds. */
class Busy implements Channel {
  answered = 0;
  stopped = false;
  isOver = false;
  readonly #start = performance.now();

  next(call: Call): Call | Next {
    call.since = performance.now();
    this.isOver = call.since > this.#start + 10_000;
    if (this.stopped || this.isOver) return Next.NOTHING;
    const length = fuseInHeader.size + fuseGetattrIn.size;
    Object.assign(call.header, { len: length, opcode: Opcode.GETATTR, unique: 2, nodeid: FUSE_ROOT_ID });
    call.arrived(length);
    return call;
  }

  answer(): void {
    this.answered++;
  }

  notify(): void {}
  notifyNow(): void {}
  close(): void {}
}

test('an event loop that always has another request lets timers have their turn', async () => {
  const channel = new Busy();
  const options = { backing: new Map(), cachedPages: new Map(), endless: false };
  const server = new TreeServer(ProcDirEntry.root(), channel, options);
  using readable = new Event();
  readable.set();
  using _draining = new Draining(readable.fd, channel, server, allocateTurn(), 15);
  const found = new Set<number>();
  // Without a turn for timers it would go on for the ten seconds, and the second one finds it has ended.
  while (found.size < 6 && !channel.isOver) {
    found.add(channel.answered);
    await sleep(1);
  }
  channel.stopped = true;
  expect(found.size).toBe(6);
});

/** A channel with one request, which is unmounted once that is answered. */
class One implements Channel {
  isAnswered = false;
  #isTaken = false;

  next(call: Call): Call | Next {
    call.since = performance.now();
    if (this.isAnswered) return Next.UNMOUNTED;
    if (this.#isTaken) return Next.NOTHING;
    this.#isTaken = true;
    const length = fuseInHeader.size + fuseGetattrIn.size;
    Object.assign(call.header, { len: length, opcode: Opcode.STATFS, unique: 2, nodeid: FUSE_ROOT_ID });
    call.arrived(length);
    return call;
  }

  answer(): void {
    this.isAnswered = true;
  }

  notify(): void {}
  notifyNow(): void {}
  close(): void {}
}

test('what a handler waits for comes by the event loop while more requests are looked for', async () => {
  const channel = new One();
  const usage = async () => {
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    return { ...NO_USAGE };
  };
  const server = new TreeServer(ProcDirEntry.root(), channel, {
    ...{ backing: new Map(), cachedPages: new Map(), endless: false },
    usage,
  });
  using readable = new Event();
  readable.set();
  const start = performance.now();
  // Who looked for requests alone would do so for the ten seconds.
  using _draining = new Draining(readable.fd, channel, server, allocateTurn(), 10_000_000);
  while (!channel.isAnswered) await sleep(1);
  expect(performance.now() - start).toBeLessThan(10_000);
});
