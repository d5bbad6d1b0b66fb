/** The machine's monotonic clock, in milliseconds: the same for all threads. Source: clock_gettime(2). */
function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What performance.now() counts from, which is another time in each thread. Who has to wait between the two is too early. */
const ORIGIN = Math.max(...Array.from({ length: 10 }, () => monotonic() - performance.now()));

/** By how much the time of day is ahead of the monotonic clock. */
let ahead = Date.now() - monotonic();

/** How far Date.now(), which has whole milliseconds, may be off without anybody having set the clock. */
const TOLERANCE = 5;

/** A time that performance.now() told in this thread, as all threads know it. */
export function forAllThreads(now: number): number {
  return ORIGIN + now;
}

/** The same as Date.now() tells it, with fractions, in the order of those times for as long as nobody sets the clock. */
export function timeOfDay(time: number): number {
  const measured = Date.now() - monotonic();
  if (Math.abs(measured - ahead) > TOLERANCE) ahead = measured;
  return ahead + time;
}
