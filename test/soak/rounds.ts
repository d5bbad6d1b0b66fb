import { compareContent } from '../random/content.ts';
import type { Place } from '../random/place.ts';
import type { Step } from '../random/step.ts';
import { pulse } from '../support/run.ts';
import { nextSeed } from '../support/seed.ts';
import type { Client } from './client.ts';
import type { Done, Task } from './client-process.ts';
import { count, Failure, type Journal } from './journal.ts';
import { regionsOf, wholeOf } from './regions.ts';

/** A last round on the whole file is a few seconds at most; what the clients left there is looked at in between. */
const ALONE = 1 / 8;

/**
 * Lets all clients work on a place at once, each in its region, and then one of them on the whole file; compares whole
 * contents after both. Throws a Failure at the first difference.
 */
export async function playRound(
  place: Place,
  clients: readonly Client[],
  seconds: number,
  journal: Journal,
): Promise<void> {
  const regions = regionsOf(clients.length);
  const size = regions.at(-1)?.start ?? 0;
  place.reset(size);
  const steps: Step[] = [
    { call: 'open', slot: 0, mode: 'O_RDWR' },
    { call: 'ftruncate', slot: 0, at: size },
  ];
  const task = (region: Task['region'], ms: number): Task => ({
    files: place.files,
    lacks: place.kind.lacks,
    region,
    seed: nextSeed(),
    ms,
  });
  const finish = (results: readonly Done[]) => {
    pulse();
    for (const done of results) {
      journal.written += done.written;
      journal.read += done.read;
      for (const { call } of done.steps) count(journal.calls, call);
      // Clients keep to their regions: one after the other, their calls do the same.
      if (done.failure === undefined) steps.push(...done.steps);
    }
    const failed = results.find(({ failure }) => failure !== undefined);
    if (failed?.failure !== undefined) {
      throw new Failure(place.kind, failed.failure, [...steps, ...failed.steps]);
    }
    try {
      journal.compared += compareContent(place.files, place.kind.holes);
      journal.comparisons++;
    } catch (error) {
      throw new Failure(place.kind, error instanceof Error ? error.message : String(error), steps);
    }
  };

  const ms = seconds * 1000;
  finish(await Promise.all(regions.map((region, i) => (clients[i] as Client).play(task(region, ms)))));
  const [client] = clients as [Client];
  finish([await client.play(task(wholeOf(clients.length), ms * ALONE))]);
}
