import { threadNumber } from '../../sys/thread.ts';
import { addUp, Counters, count, countTime, threadOf } from '../counters.ts';
import { type MountStatistics, processorTime } from '../statistics.ts';

/** Of how many files the paths are kept. */
const FILES = 1000;

/** What is counted of requests that name their operations and files by words. All are timed. */
export class CountedRequests {
  readonly #shared = Counters.allocate();
  readonly #counters = new Counters(this.#shared, threadNumber());
  /** Numbers from 1. */
  readonly #operations = new Map<string, number>();
  readonly #paths = new Map<string, number>();

  /** Counts a request that was answered with `result`. `since`: when it came. */
  count(operation: string, path: string, result: number, since: number): void {
    const file = this.#paths.size < FILES ? numberOf(this.#paths, path) : (this.#paths.get(path) ?? 0);
    const cell = this.#counters.cell(file, numberOf(this.#operations, operation));
    const isData = operation === 'READ' || operation === 'WRITE';
    count(cell, result, isData ? Math.max(result, 0) : 0);
    countTime(cell, performance.now() - since);
  }

  statistics(): MountStatistics {
    const { tid, requests } = threadOf(this.#shared);
    return {
      sample: 1,
      operations: addUp([this.#shared], {
        operation: (number) => nameOf(this.#operations, number),
        path: (number) => nameOf(this.#paths, number),
      }),
      threads: [{ name: 'event loop', requests, cpu: processorTime(tid) }],
    };
  }
}

function numberOf(names: Map<string, number>, name: string): number {
  const known = names.get(name) ?? names.size + 1;
  names.set(name, known);
  return known;
}

function nameOf(names: Map<string, number>, number: number): string {
  return [...names].find(([, one]) => one === number)?.[0] ?? '';
}
