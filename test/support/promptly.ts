import { run } from './mount.ts';

/** Of Node, one after the other. That takes one or two seconds on a machine with nothing else to do. */
const STARTS = 40;

/**
 * What `work` resolves to, which should take a moment. Throws when it takes longer than starting Node 40 times beside it: on a
 * busy machine both take longer, but what waits where it need not is as late on any.
 */
export async function promptly<T>(work: Promise<T>, what: string): Promise<T> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  for (let starts = 0; !isDone; starts++) {
    if (starts === STARTS) throw new Error(`${what} takes longer than starting Node ${STARTS} times.`);
    await run(process.execPath, '-e', '');
  }
  return done;
}
