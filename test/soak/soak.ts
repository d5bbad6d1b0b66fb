import { MiB } from '../../scripts/bench/sizes.ts';
import type { Kind } from '../random/kinds.ts';
import { Place } from '../random/place.ts';
import { Client } from './client.ts';
import { count, Failure, Journal, say, sum } from './journal.ts';
import { playRound } from './rounds.ts';
import { sample } from './samples.ts';
import { unmount } from './unmounting.ts';
import { verify } from './verify.ts';

export interface Plan {
  readonly kinds: readonly Kind[];
  /** There is one cycle at least, and one that has begun by then is ended. */
  readonly minutes: number;
  /** Seconds that clients work on a mount that stays, that fio does, and that clients work on one that goes again. */
  readonly staying: number;
  readonly verifying: number;
  readonly going: number;
  /** Seconds between two samples. */
  readonly sampling: number;
}

const CLIENTS = 3;

/** The most memory that a file may take, in bytes: twice what the clients' regions have room for. */
export const MAX_SIZE = 64 * MiB;

/**
 * Has a mount of each kind from start to end, whose daemons are sampled, and goes around: works on each of them, and on
 * another one of its kind that is mounted for it and unmounted again. Ends at the first failure, or when `stop` says so.
 */
export async function soak(plan: Plan, stop: AbortSignal): Promise<Journal> {
  const journal = new Journal();
  const clients = Array.from({ length: CLIENTS }, () => new Client());
  const places: Place[] = [];
  let sampler: NodeJS.Timeout | undefined;
  try {
    for (const kind of plan.kinds) places.push(await Place.make(kind, MAX_SIZE));
    sampler = setInterval(() => takeSamples(places, journal), plan.sampling * 1000);
    do {
      for (const place of places) {
        if (stop.aborted) return journal;
        await workOn(place, clients, plan, journal);
        if (journal.failure !== undefined) return journal;
      }
      journal.cycles++;
      say(progress(journal));
    } while (journal.minutes < plan.minutes);
  } catch (error) {
    journal.failure = error instanceof Error ? error : new Error(String(error));
  } finally {
    clearInterval(sampler);
    for (const one of [...clients, ...places]) {
      // What ended the run first is what is to be told.
      await one[Symbol.asyncDispose]().catch((error: Error) => {
        journal.failure ??= error;
      });
    }
    journal.ended = new Date();
  }
  return journal;
}

async function workOn(place: Place, clients: readonly Client[], plan: Plan, journal: Journal): Promise<void> {
  const { kind } = place;
  try {
    await playRound(place, clients, plan.staying, journal);
    const { written, read } = await verify(place.files.ours, plan.verifying);
    journal.verified.written += written;
    journal.verified.read += read;

    await using other = await Place.make(kind, MAX_SIZE);
    await playRound(other, clients, plan.going, journal);
    count(journal.remounts, await unmount(other.mount, sum(journal.remounts)));
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(kind, String(error), []);
  }
}

/** A daemon that has ended is a failure. */
function takeSamples(places: readonly Place[], journal: Journal): void {
  for (const { kind, mount } of places) {
    try {
      const samples = journal.samples.get(kind.name) ?? [];
      journal.samples.set(kind.name, samples);
      samples.push(sample(mount));
    } catch (error) {
      journal.failure ??= new Failure(kind, `the daemon can't be looked at any more: ${error}`, []);
    }
  }
}

function progress(journal: Journal): string {
  const last = [...journal.samples].map(([name, samples]) => {
    const { descriptors, threads, memory } = samples.at(-1) ?? { descriptors: 0, threads: 0, memory: 0 };
    return `${name} ${descriptors} descriptors, ${threads} threads, ${(memory / 2 ** 20).toFixed(1)} MiB`;
  });
  return (
    `${journal.minutes.toFixed(1)} minutes, cycle ${journal.cycles}, ${sum(journal.calls)} calls, ` +
    `${sum(journal.remounts)} remounts; ${last.join('; ')}`
  );
}
