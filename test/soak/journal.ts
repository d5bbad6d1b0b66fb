import type { Kind } from '../random/kinds.ts';
import type { Step } from '../random/step.ts';
import type { Sample } from './samples.ts';

/** A comparison that failed, or whatever else ended the run, with the calls that led to it. */
export class Failure extends Error {
  readonly kind: string;
  readonly steps: readonly Step[];

  constructor(kind: Kind, message: string, steps: readonly Step[]) {
    super(`${kind.name}: ${message}`);
    this.kind = kind.name;
    this.steps = steps;
  }
}

/** What a run has done so far. Bytes are those of the mounts, not of the mirrors. */
export class Journal {
  readonly started = new Date();
  ended: Date | undefined;
  cycles = 0;
  /** How often everything was compared, and how many bytes that was in all. */
  comparisons = 0;
  compared = 0;
  written = 0;
  read = 0;
  verified = { written: 0, read: 0 };
  readonly calls = new Map<string, number>();
  readonly remounts = new Map<string, number>();
  /** By kind of mount: those of the daemon that lives as long as the run. */
  readonly samples = new Map<string, Sample[]>();
  failure: Error | undefined;

  /** From the run's start to its end, or until now. */
  get minutes(): number {
    return ((this.ended ?? new Date()).getTime() - this.started.getTime()) / 60_000;
  }
}

export function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

export function sum(counts: Map<string, number>): number {
  return [...counts.values()].reduce((all, one) => all + one, 0);
}

/** To standard error, with the time. */
export function say(text: string): void {
  console.error(`${new Date().toISOString()} soak: ${text}`);
}
