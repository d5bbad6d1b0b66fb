import { MiB } from '../../scripts/bench/sizes.ts';
import { median } from '../../scripts/bench/statistics.ts';
import type { Sample } from './samples.ts';

export const figures = ['descriptors', 'threads', 'memory'] as const;
export type Figure = (typeof figures)[number];

export interface Quarter {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

export interface Flatness {
  readonly figure: Figure;
  readonly quarters: readonly Quarter[];
  readonly flat: boolean;
}

/**
 * A quarter must see each kind of mount at work several times, and the first must be long enough to warm up in: code is
 * compiled and heaps find their size. Shorter runs show their samples and judge nothing. In minutes.
 */
export const SHORTEST = 20;

/**
 * By how much each may grow. Memory goes up and down by several MB as V8 collects garbage, in each worker at its own
 * time: a leak of 10 MiB an hour still shows in one hour, as the quarters that are compared are half a run apart.
 */
const allowed: Readonly<Record<Figure, number>> = { descriptors: 0, threads: 0, memory: 5 * MiB };

/**
 * Whether a daemon's samples, over a whole run, are flat: the last quarter against the second; the first is the warm-up.
 *
 * What leaks never comes back, so it lifts the least of a quarter and its median alike. What comes and goes lifts one
 * of them, or both by little: garbage, and the threads that libfuse starts when all others are busy and ends when ten
 * are idle (fuse_loop_mt). So only a rise of both counts.
 */
export function flatness(samples: readonly Sample[]): Flatness[] {
  return figures.map((figure) => {
    const quarters = [0, 1, 2, 3].map((i) => {
      const part = samples.slice((i * samples.length) / 4, ((i + 1) * samples.length) / 4);
      const values = part.map((one) => one[figure]);
      return { least: Math.min(...values), median: median(values), most: Math.max(...values) };
    });
    const [, second, , last] = quarters as [Quarter, Quarter, Quarter, Quarter];
    const rise = Math.min(last.least - second.least, last.median - second.median);
    return { figure, quarters, flat: rise <= allowed[figure] };
  });
}
