import { readFileSync } from 'node:fs';

/** What was asked of one file, by one operation. */
export interface OperationStatistics {
  /** As the kernel calls it, such as `READ`. */
  readonly operation: string;
  /** Where the file is in its tree, such as `/notes`. '' for files that are gone, or of which there are too many to tell apart. */
  readonly path: string;
  readonly requests: number;
  /** Of data that was read, written or copied. */
  readonly bytes: number;
  /** How often each error was answered, by its name. */
  readonly errors: Readonly<Record<string, number>>;
  /** How many requests were timed: one in `sample`. */
  readonly timed: number;
  /** How long those took together, and the longest, in milliseconds. */
  readonly sum: number;
  readonly max: number;
  /** How many of those took how long: see bucketEnd. Those that have none are left out. */
  readonly buckets: readonly (readonly [bucket: number, count: number])[];
}

/** A thread that serves. */
export interface ThreadStatistics {
  readonly name: string;
  readonly requests: number;
  /** The time that it was on a processor, in seconds, where the kernel tells. */
  readonly cpu: number | undefined;
}

/** What is counted of a mount. What the kernel answers without asking isn't among it. */
export interface MountStatistics {
  /** Of the requests that workers answer, one in so many is timed; each of all others. */
  readonly sample: number;
  readonly operations: readonly OperationStatistics[];
  readonly threads: readonly ThreadStatistics[];
}

/** How many buckets a factor of 2 has. */
const STEPS = 4;
/** Of the one that ends at 1 us. */
const MICROSECOND = 8;
export const BUCKETS = 104;

/** The bucket that a time belongs to, in milliseconds. */
export function bucketOf(ms: number): number {
  const bucket = MICROSECOND + Math.ceil(Math.log2(ms * 1000) * STEPS);
  return Math.min(Math.max(bucket, 0), BUCKETS - 1);
}

/** The longest time of a bucket, in milliseconds. It is a fifth longer than that of the one before. */
export function bucketEnd(bucket: number): number {
  return 2 ** ((bucket - MICROSECOND) / STEPS) / 1000;
}

type Timed = Pick<OperationStatistics, 'timed' | 'max' | 'buckets'>;

/** How long a part of the requests took at most, in milliseconds: up to a fifth too much. Undefined where none was timed. */
export function quantile({ timed, max, buckets }: Timed, part: number): number | undefined {
  let left = Math.ceil(timed * part);
  for (const [bucket, count] of buckets) {
    left -= count;
    if (left <= 0) return Math.min(bucketEnd(bucket), max);
  }
  return timed === 0 ? undefined : max;
}

/** How many files are open: what was opened and not released. */
export function openFiles(operations: readonly OperationStatistics[]): number {
  const count = (name: string) => {
    const all = operations.filter(({ operation }) => operation === name);
    return all.reduce((sum, { requests, errors }) => sum + requests - errorsIn(errors), 0);
  };
  return Math.max(0, count('OPEN') - count('RELEASE'));
}

export function errorsIn(errors: OperationStatistics['errors']): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

/** The time that a thread of this process was on a processor, in seconds. Source: sched-stats.rst. */
export function processorTime(tid: number): number | undefined {
  try {
    const [nanoseconds = ''] = readFileSync(`/proc/self/task/${tid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1e9;
  } catch {
    return undefined;
  }
}
