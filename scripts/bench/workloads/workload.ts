import type { Programs } from '../compile.ts';
import type { Mount } from '../contenders/contender.ts';

/** What belongs into one table of the report. */
export type Topic = 'random' | 'sequential' | 'p50' | 'p99' | 'cpu' | 'files' | 'growth' | 'start';

/** A figure that a workload gives for each contender in each round. */
export interface Metric {
  readonly id: string;
  readonly topic: Topic;
  /** A column's heading, with the unit where the topic doesn't say it. */
  readonly label: string;
}

/** A figure by its metric's id. One that doesn't apply, as a server's memory without a server, is missing. */
export type Figures = Readonly<Record<string, number>>;

/** Something that clients do to the file. */
export interface Workload {
  readonly label: string;
  readonly metrics: readonly Metric[];
  /** How many bytes the file must hold before. */
  readonly fileSize: number;
  /** Does it once. Throws one sentence. */
  run(mount: Mount, programs: Programs): Promise<Figures>;
}
