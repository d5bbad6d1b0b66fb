import { fstatSync, writeSync } from 'node:fs';
import { Command } from 'commander';
import type { TraceProgress } from '../daemon/control/messages.ts';
import { EAGAIN, EPIPE, Errno } from '../sys/errno.ts';
import { whenHungUp } from '../sys/watch.ts';
import { oneLine } from '../text/one-line.ts';
import { quote } from '../text/quote.ts';
import type { TraceFilter } from '../transport/tracers.ts';
import { daemonOn, orFailure } from './ask.ts';
import { fail } from './failure.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { traceRows } from './options.ts';
import { traceLine } from './trace-line.ts';

export const traceCommand = new Command('trace')
  .summary('show what is asked of a directory and what is answered, as it happens')
  .description(
    'Shows each request of the kernel for a directory with its answer, as strace(1) shows system calls: when, by which thread and user, which operation on which file, with which result, and how many seconds it took. It goes on until Ctrl-C, until nobody reads what it prints, or until the directory is unmounted, and nothing of it stays. What files contain is never shown, and what the kernel answers itself neither. Of several filters all must be true. Who reads more slowly than requests come is told how many are not shown; the mount waits for nobody.',
  )
  .argument('<dir>', 'the directory')
  .action(run);
addFlags(traceCommand, traceRows);
addLists(traceCommand, {
  'Filters:': [
    ['OPEN,READ,…', 'operations, by the names of the kernel, in capital letters or not'],
    ['/notes', 'a file, or a directory and all that is below'],
    ['failed', 'only what was answered with an error'],
  ],
  'Examples:': [
    ['ramproc trace /tmp/ram', 'all, until Ctrl-C'],
    ['ramproc trace /tmp/ram --filter failed', 'who gets errors, and which'],
    ['ramproc trace /tmp/ram --filter open,release --filter /notes', 'who has one file open'],
    [
      'timeout 10 ramproc trace /tmp/ram --json',
      'ten seconds, an object for each request, on a line of its own',
    ],
  ],
});

async function run(dir: string, { filter = {}, json = false }: Flags<typeof traceRows>): Promise<void> {
  const failure = `Cannot trace ${quote(dir)}`;
  const { daemon, mount } = await daemonOn(dir, failure);
  using _output = endWithOutput();
  let hasBegun = false;
  const show = ({ events = [], missed = 0 }: TraceProgress) => {
    if (!hasBegun) console.error(`ramproc: Tracing ${quote(mount.dir)}; Ctrl-C ends it, the mount stays.`);
    hasBegun = true;
    const lines = events.map((event) => (json ? oneLine(JSON.stringify(event)) : traceLine(event)));
    if (missed > 0) lines.push(json ? JSON.stringify({ missed }) : `… ${missed} not shown`);
    if (lines.length > 0) print(`${lines.join('\n')}\n`);
  };
  await orFailure(failure, () => daemon.ask('trace', { filter: below(filter, mount.dir) }, show));
  console.error(`ramproc: ${quote(mount.dir)} is unmounted.`);
}

/** The path as one in the tree, also when it was given from the root directory on. */
function below({ path, ...filter }: TraceFilter, dir: string): TraceFilter {
  if (path === dir) return filter;
  return { ...filter, path: path?.startsWith(`${dir}/`) ? path.slice(dir.length) : path };
}

/** Ends the process without a word once nobody can read what it prints, though there may be nothing to print. */
function endWithOutput(): Disposable | undefined {
  const output = fstatSync(1);
  return output.isFIFO() || output.isSocket() ? whenHungUp(1, () => process.exit()) : undefined;
}

/** How long to wait before what reads a pipe may have room again that others of its writers made non-blocking, in milliseconds. */
const PAUSE = 10;

/**
 * Prints, and waits for who reads: meanwhile the daemon isn't listened to, and leaves out what there is no room for. process.stdout would
 * keep it all.
 */
function print(text: string): void {
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      const errno = Errno.from(error);
      const number = errno instanceof Errno ? errno.errno : 0;
      if (number !== EAGAIN) {
        // EPIPE: nobody reads any more.
        if (number !== EPIPE) fail(error, false);
        process.exit();
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}
