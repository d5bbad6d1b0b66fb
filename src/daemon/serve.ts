import { EndOnSignal, endSignals } from './end-on-signal.ts';
import { House, type Starter } from './house.ts';
import { info, reopenLog } from './log.ts';
import type { Plan } from './plan.ts';
import { dropPrivileges } from './privileges.ts';
import { keepFromDumps } from './secret.ts';
import { settle } from './settle.ts';
import { setTitle } from './title.ts';

/**
 * Mounts on `dir` what is planned, and serves it in this process until it is unmounted, and all that came later. Throws one sentence,
 * with nothing left behind, when it can't be mounted; and EndedBySignal when the process was told to end, which it then must.
 */
export async function serve(dir: string, plan: Plan, foreground: boolean, starter: Starter): Promise<void> {
  setTitle(dir);
  if (plan.secret) keepFromDumps();
  const ending = new EndOnSignal(handleHangup(plan, foreground));
  await using house = new House(ending, !foreground);
  // Also when an exception ends the process.
  process.on('exit', () => house.atOnce());
  try {
    await house.mount(dir, plan, starter, () => dropPrivileges(plan));
    settle();
    await ending.orEnd(house.closed);
  } catch (error) {
    const { told } = ending;
    if (told === undefined) throw error;
    await house.end(told.signal);
    throw told;
  }
}

/** Which signals end a mount. A terminal that hangs up ends one that speaks to it; else it is how to begin a new log. */
function handleHangup({ log, verbose }: Plan, foreground: boolean): readonly NodeJS.Signals[] {
  if (foreground && log === undefined) return endSignals;
  process.on('SIGHUP', async () => {
    if (log === undefined) return;
    await reopenLog(log);
    if (verbose) info('SIGHUP, the log begins here');
  });
  return endSignals.filter((signal) => signal !== 'SIGHUP');
}
