/** Seconds, to the millisecond. Returns milliseconds. */
export function parseDuration(text: string): number {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * 1000) : Number.NaN;
  if (ms >= 1 && ms <= 3_600_000) return ms;
  throw new Error('It must be a number of seconds from 0.001 to 3600.');
}

/** How many replicas an engine has for one file, at most. */
export function parseReplicas(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 0 && count <= 100) return count;
  throw new Error('It must be a whole number from 0 to 100.');
}
