import type { OperationStatistics } from '../transport/statistics.ts';

/** What was asked between two times. The longest time is that of all: it isn't known when it was. */
export function between(
  before: readonly OperationStatistics[],
  after: readonly OperationStatistics[],
): OperationStatistics[] {
  const keyOf = ({ operation, path }: OperationStatistics) => `${operation} ${path}`;
  const old = new Map(before.map((one) => [keyOf(one), one]));
  return after.flatMap((now) => {
    const then = old.get(keyOf(now));
    if (then === undefined) return now;
    const requests = now.requests - then.requests;
    if (requests <= 0) return [];
    const buckets = new Map(then.buckets);
    const errors = Object.entries(now.errors).map(
      ([name, count]) => [name, count - (then.errors[name] ?? 0)] as const,
    );
    return {
      ...now,
      requests,
      bytes: now.bytes - then.bytes,
      errors: Object.fromEntries(errors.filter(([, count]) => count > 0)),
      timed: now.timed - then.timed,
      sum: now.sum - then.sum,
      buckets: now.buckets
        .map(([bucket, count]) => [bucket, count - (buckets.get(bucket) ?? 0)] as const)
        .filter(([, count]) => count > 0),
    };
  });
}

/** Of several rows one, with the sums of all. */
export function together(rows: readonly OperationStatistics[]): OperationStatistics {
  const sum = (of: (one: OperationStatistics) => number) => rows.reduce((total, one) => total + of(one), 0);
  const buckets = new Map<number, number>();
  const errors: Record<string, number> = {};
  for (const row of rows) {
    for (const [bucket, count] of row.buckets) buckets.set(bucket, (buckets.get(bucket) ?? 0) + count);
    for (const [name, count] of Object.entries(row.errors)) errors[name] = (errors[name] ?? 0) + count;
  }
  return {
    ...{ operation: '', path: '', errors },
    requests: sum(({ requests }) => requests),
    bytes: sum(({ bytes }) => bytes),
    timed: sum(({ timed }) => timed),
    sum: sum((one) => one.sum),
    max: Math.max(0, ...rows.map(({ max }) => max)),
    buckets: [...buckets].sort(([one], [other]) => one - other),
  };
}
