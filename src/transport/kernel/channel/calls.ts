import { Opcode } from '../../../abi/fuse.ts';
import { fuseReadIn } from '../../../abi/structs.ts';
import type { Call } from '../wire/call.ts';
import type { Waiting } from './device.ts';

/** Indexes of the numbers through which workers call each other, and what allocates them. */
const CALLS = 0;
const ASLEEP = 1;
const STOPPED = 2;
const LEADERLESS = 3;
const HIRED = 4;

/** From how many bytes on a request counts as long: the copies then take longer than to wake somebody. */
const LONG = 64 * 1024;

/** The numbers of a mount, shared by its threads. */
export function allocateCalls(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(5 * Int32Array.BYTES_PER_ELEMENT));
}

/** Wakes a worker that sleeps until it is called. Returns whether there never was another to call: once. */
export function callHelper(calls: Int32Array): boolean {
  if (Atomics.load(calls, ASLEEP) === 0) return Atomics.exchange(calls, HIRED, 1) === 0;
  Atomics.add(calls, CALLS, 1);
  Atomics.notify(calls, CALLS, 1);
  return false;
}

/** Has all that sleep until they are called look again. */
export function callAll(calls: Int32Array): void {
  Atomics.add(calls, CALLS, 1);
  Atomics.notify(calls, CALLS);
}

/** The same, and they sleep no more. */
export function stopAll(calls: Int32Array): void {
  Atomics.store(calls, STOPPED, 1);
  callAll(calls);
}

/** Whether there is a first worker. While there is none, the others wait for requests themselves. */
export function setLeader(calls: Int32Array, there: boolean): void {
  Atomics.store(calls, LEADERLESS, there ? 0 : 1);
  if (!there) callAll(calls);
}

/**
 * The first worker's way to wait. It serves alone for as long as that is fastest: two threads that wait for the same requests
 * wake each other's processors. When a long one comes and the last was hardly answered, it calls another worker; for the first time it
 * has others be started, which a mount that is never that busy does without: 8 MB and 50 ms of a processor each.
 */
export class Calling implements Waiting {
  readonly #waiting: Waiting;
  readonly #calls: Int32Array;
  readonly #hire: () => void;
  #waited = true;

  /** `hire` has the others be started. */
  constructor(waiting: Waiting, calls: Int32Array, hire: () => void) {
    this.#waiting = waiting;
    this.#calls = calls;
    this.#hire = hire;
  }

  wait(): boolean {
    this.#waited = true;
    return this.#waiting.wait();
  }

  arrived(call: Call): void {
    if (!this.#waited && isLong(call) && callHelper(this.#calls)) this.#hire();
    this.#waited = false;
    this.#waiting.arrived(call);
  }
}

function isLong(call: Call): boolean {
  return call.length > LONG || (call.header.opcode === Opcode.READ && call.input(fuseReadIn).size > LONG);
}

/** The other workers' way: they sleep until they are called, serve what there is, and sleep again. */
export class Called implements Waiting {
  readonly #waiting: Waiting;
  readonly #calls: Int32Array;
  readonly #sleep: number | undefined;
  /** As of before the device was found empty, so that no call after that is missed. */
  #seen: number;

  /**
   * `waiting` is the first worker's, for when there is none. `sleep` is how long to sleep at most before JavaScript runs again, in
   * milliseconds: -1 for ever.
   */
  constructor(waiting: Waiting, calls: Int32Array, sleep: number) {
    this.#waiting = waiting;
    this.#calls = calls;
    this.#sleep = sleep < 0 ? undefined : sleep;
    this.#seen = Atomics.load(calls, CALLS);
  }

  wait(): boolean {
    if (Atomics.load(this.#calls, LEADERLESS) === 1) return this.#waiting.wait();
    // One that starts late has missed that call.
    if (Atomics.load(this.#calls, STOPPED) === 1) return false;
    Atomics.add(this.#calls, ASLEEP, 1);
    Atomics.wait(this.#calls, CALLS, this.#seen, this.#sleep);
    Atomics.sub(this.#calls, ASLEEP, 1);
    this.#seen = Atomics.load(this.#calls, CALLS);
    return Atomics.load(this.#calls, STOPPED) === 0;
  }

  arrived(call: Call): void {
    this.#waiting.arrived(call);
  }
}
