/** How long something took, in milliseconds, for people: `7.2 us`, `14 ms`, `1.5 s`. */
export function duration(ms: number): string {
  if (ms < 1) return `${digits(ms * 1000)} us`;
  return ms < 1000 ? `${digits(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function digits(value: number): string {
  return value.toFixed(value < 10 ? 1 : 0);
}
