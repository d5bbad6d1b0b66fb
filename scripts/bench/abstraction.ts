/**
 * What the layers cost: a READ of 4 KiB from the request's bytes to the reply's, through all of them, against one function
 * that does the same by hand, with no kernel in between. Prints both and their ratio, and fails when one is over the limit.
 */
import { LENGTH, type Server } from './abstraction/request.ts';
import { type Ways, ways } from './abstraction/ways.ts';
import { format, median } from './statistics.ts';

const LIMIT = 1.1;
/** Short ones: the two times of a ratio are then taken within a millisecond, and the median leaves out what was disturbed. */
const ROUNDS = 801;
const REQUESTS = 5_000;

/** How long a request takes, in nanoseconds. */
function time(server: Server): number {
  const start = performance.now();
  for (let i = 0; i < REQUESTS; i++) server(LENGTH);
  return ((performance.now() - start) * 1e6) / REQUESTS;
}

/** A B A B. Prints the medians and the ratio's. */
function compare({ what, layers, byHand }: Ways): void {
  const rounds = Array.from({ length: ROUNDS }, () => [time(layers), time(byHand)] as const);
  const through = median(rounds.map(([one]) => one));
  const hand = median(rounds.map(([, other]) => other));
  const ratio = median(rounds.map(([one, other]) => one / other));
  console.log(
    `${what}: ${format(through)} ns through the layers, ${format(hand)} ns by hand, ratio ${ratio.toFixed(2)}`,
  );
  if (ratio > LIMIT) {
    console.log(`  over the limit of ${LIMIT.toFixed(2)}`);
    process.exitCode = 1;
  }
}

for (const both of ways()) compare(both);
