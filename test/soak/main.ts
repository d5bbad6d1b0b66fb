import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { size } from '../../src/text/size.ts';
import { kindOf, kinds } from '../random/kinds.ts';
import { Place } from '../random/place.ts';
import type { Step } from '../random/step.ts';
import { openDeviceToAll } from '../support/device.ts';
import { checkMachine } from '../support/machine.ts';
import { mount } from '../support/mount.ts';
import { joinRun, pulse, startRun } from '../support/run.ts';
import { plantSeed, seedFrom } from '../support/seed.ts';
import { Failure, say } from './journal.ts';
import { differenceOf, shrink } from './replay.ts';
import { reportOf } from './report.ts';
import { soakWithSignals } from './signals.ts';
import { MAX_SIZE, soak } from './soak.ts';
import { verify } from './verify.ts';

/**
 * npm run soak -- [--minutes N] [--on KINDS] [--seed N] [--verify | --replay FILE | --signals N]
 *
 * Works on mounts for N minutes (default: 60), and prints a report in Markdown. Ends with status 1 when an answer or the
 * content differed from tmpfs's, when a daemon's descriptors, threads or memory grew, or when something was left behind.
 *
 * --on: kinds of mount, with commas (default: all that this machine has: direct,cached,passthrough,uring,libfuse). --seed: the number that all calls are
 * made from (default: another each time). --verify: only fio's verified writes and reads, 60 s or what N minutes leave for
 * each kind. --replay: only the calls of a run that failed; when they fail again, with those left out that aren't needed.
 * --signals: only N random signals at random moments of many mounts, of root's and of an ordinary user's.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    on: { type: 'string' },
    seed: { type: 'string' },
    verify: { type: 'boolean' },
    replay: { type: 'string' },
    signals: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes needs a number above 0, not "${values.minutes}".`);
const seed = seedFrom(values.seed);
const chosen = values.on === undefined ? kinds : values.on.split(',').map(kindOf);

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());

checkMachine();
const run = await startRun();
joinRun(run.dir);
plantSeed(seed);
say(`--seed ${seed}`);
try {
  if (values.verify) await verifyAll();
  else if (values.replay !== undefined) await replayAll(values.replay);
  else if (values.signals !== undefined) await sendSignals(Number(values.signals));
  else await soakAll();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
for (const line of run.end()) {
  say(`left behind: ${line}`);
  process.exitCode = 1;
}

async function soakAll(): Promise<void> {
  const plan = { kinds: chosen, minutes, staying: 8, verifying: 2, going: 3, sampling: 10 };
  const journal = await soak(plan, stop.signal);
  const { text, passed } = reportOf(journal);
  if (journal.failure instanceof Failure) keep(journal.failure);
  console.log(text);
  if (!passed) process.exitCode = 1;
}

function keep({ kind, steps, message }: Failure): void {
  say(message);
  if (steps.length > 0) say(`only these ${steps.length} calls again: ${again(kind, steps)}`);
}

/** Writes calls to a file, behind the run's own directory, which goes with it. Returns the command that plays them. */
function again(kind: string, steps: readonly Step[]): string {
  const file = join(mkdtempSync(join(tmpdir(), 'ramproc-soak-')), 'steps.json');
  writeFileSync(file, JSON.stringify(steps));
  return `npm run soak -- --on ${kind} --replay ${file}`;
}

async function verifyAll(): Promise<void> {
  const seconds = Math.min(60, (minutes * 60) / chosen.length);
  for (const { name, options } of chosen) {
    if (stop.signal.aborted) return;
    pulse();
    await using place = await mount(options);
    const { written, read } = await verify(place.file, seconds);
    say(
      `${name}: fio wrote ${size(written)} with crc32c in ${seconds} s, by 4 jobs, and read back ${size(read)} without an error`,
    );
  }
}

async function replayAll(file: string): Promise<void> {
  const steps: readonly Step[] = JSON.parse(readFileSync(file, 'utf8'));
  for (const kind of chosen) {
    await using place = await Place.make(kind, MAX_SIZE);
    const difference = differenceOf(place, steps);
    if (difference === undefined) {
      say(`${kind.name}: the mount and tmpfs agree on ${steps.length} calls`);
      continue;
    }
    say(`${kind.name}: ${difference.message}`);
    const needed = shrink(difference.steps, (some) => differenceOf(place, some) !== undefined);
    say(`${kind.name}, with what is needed of it: ${differenceOf(place, needed)?.message}`);
    say(`only these ${needed.length} calls again: ${again(kind.name, needed)}`);
    process.exitCode = 1;
  }
}

async function sendSignals(count: number): Promise<void> {
  if (!(count > 0)) throw new Error(`--signals needs a number above 0, not "${values.signals}".`);
  using _device = openDeviceToAll();
  const { text, failures } = await soakWithSignals(count, stop.signal);
  for (const failure of failures) say(failure);
  console.log(text);
  if (failures.length > 0) process.exitCode = 1;
}
