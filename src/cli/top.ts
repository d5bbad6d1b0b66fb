import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { Daemon } from '../daemon/control/client.ts';
import { NoAnswer } from '../daemon/control/exchange.ts';
import type { Statistics } from '../daemon/control/messages.ts';
import { FSTYPE } from '../mount/options.ts';
import { type MountInfo, mounts } from '../sys/mountinfo.ts';
import { oneLine } from '../text/one-line.ts';
import { size } from '../text/size.ts';
import { errorsIn, type OperationStatistics } from '../transport/statistics.ts';
import { columns } from './columns.ts';
import { addLists } from './help.ts';
import { between, together } from './interval.ts';
import { addFlags, type Flags } from './option.ts';
import { topRows } from './options.ts';
import { number, percent, times } from './stats-table.ts';

export const topCommand = new Command('top')
  .summary('show what is asked of all mounts now')
  .description(
    'Shows what clients ask of all that is mounted, by the second. In a terminal it goes on until q or Ctrl-C; else it is one table.',
  )
  .action(run);
addFlags(topCommand, topRows);
addLists(topCommand, {
  'Examples:': [
    ['ramproc top', 'anew every second'],
    ['ramproc top --interval 10 | cat', 'one table, of ten seconds'],
  ],
});

/** How long a daemon may keep silent, in milliseconds. */
const PATIENCE = 500;

const HEADING = [
  'DIRECTORY',
  'OPEN',
  'USED',
  'REQ/S',
  'READ/S',
  'WRITE/S',
  'ERR/S',
  'P50',
  'P99',
  'MAX',
  'LOAD',
  'PROCESS',
];

/** What a mount said, and when. */
interface Look {
  readonly at: number;
  readonly said: ReadonlyMap<string, Statistics | NoAnswer>;
  readonly dirs: ReadonlyMap<string, string>;
}

async function run({ interval = 1 }: Flags<typeof topRows>): Promise<void> {
  const isTerminal = process.stdout.isTTY && process.env.TERM !== 'dumb';
  using keys = isTerminal ? untilKey() : undefined;
  for (let before = await lookAtAll(); ; ) {
    await sleep(interval * 1000, undefined, { signal: keys?.ended }).catch(() => {});
    if (keys?.ended.aborted) return;
    const now = await lookAtAll();
    const text = columns(HEADING, rows(before, now));
    if (!isTerminal) {
      console.log(text);
      return;
    }
    draw(text);
    before = now;
  }
}

async function lookAtAll(): Promise<Look> {
  const all = mounts().filter(({ type }) => type === FSTYPE);
  const said = await Promise.all(all.map(async (mount) => [mount.device, await ask(mount)] as const));
  return {
    at: performance.now(),
    said: new Map(said),
    dirs: new Map(all.map(({ device, dir }) => [device, dir])),
  };
}

async function ask(mount: MountInfo): Promise<Statistics | NoAnswer> {
  try {
    return await (await Daemon.of(mount, PATIENCE)).ask('stats', {});
  } catch (error) {
    if (error instanceof NoAnswer) return error;
    throw error;
  }
}

/** A line for each mount, the busiest first. */
function rows(before: Look, now: Look): string[][] {
  const seconds = (now.at - before.at) / 1000;
  const all = [...now.said].map(([device, said]) => {
    const dir = now.dirs.get(device) ?? '';
    if (said instanceof NoAnswer) return { busy: -1, row: [dir, said.message] };
    const then = before.said.get(device);
    const old = then === undefined || then instanceof NoAnswer ? undefined : then;
    const asked = between(old?.operations ?? said.operations, said.operations);
    const sum = together(asked);
    const bytesOf = (name: string) =>
      size(Math.round(bytes(asked.filter(({ operation }) => operation === name)) / seconds));
    const load = (cpuOf(said) - cpuOf(old ?? said)) / seconds;
    const row = [
      ...[dir, String(said.open), size(said.used), number(sum.requests / seconds)],
      ...[bytesOf('READ'), bytesOf('WRITE'), number(errorsIn(sum.errors) / seconds)],
      ...[...times(sum), percent(load), String(said.pid)],
    ];
    return { busy: sum.requests, row };
  });
  return all.sort((one, other) => other.busy - one.busy).map(({ row }) => row);
}

function bytes(rows: readonly OperationStatistics[]): number {
  return rows.reduce((sum, one) => sum + one.bytes, 0);
}

function cpuOf({ threads }: Statistics): number {
  return threads.reduce((sum, { cpu = 0 }) => sum + cpu, 0);
}

/** Control sequences of ECMA-48: to the first line, the rest of a line, the rest of the screen, inverse and not. */
const HOME = '\x1b[H';
const END_OF_LINE = '\x1b[K';
const REST = '\x1b[J';
const INVERSE = ['\x1b[7m', '\x1b[m'] as const;

/**
 * Draws over what was there. The cursor is neither hidden nor moved to another screen, so that there is nothing to give back whatever
 * ends the process.
 */
function draw(text: string): void {
  const { columns: width = 80, rows: height = 24 } = process.stdout;
  const isPlain = (process.env.NO_COLOR ?? '') !== '';
  const lines = [...text.split('\n').slice(0, height - 2), 'q ends it'].map((line) =>
    [...oneLine(line)].slice(0, width).join(''),
  );
  const [heading = '', ...rest] = lines;
  const first = isPlain ? heading : INVERSE.join(heading.padEnd(width).slice(0, width));
  process.stdout.write(`${HOME}${[first, ...rest].map((line) => line + END_OF_LINE).join('\n')}${REST}\n`);
}

/** What Ctrl-C and Ctrl-D send where keys are no signals. */
const ENDING = ['q', 'Q', '\u0003', '\u0004'];

/** Aborted by q, Ctrl-C or Ctrl-D. Disposing it has the terminal send lines again. */
function untilKey(): Disposable & { readonly ended: AbortSignal } {
  const { stdin } = process;
  const ending = new AbortController();
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    stdin.setEncoding('latin1').on('data', (keys: string) => {
      if (ENDING.some((key) => keys.includes(key))) ending.abort();
    });
  }
  return {
    ended: ending.signal,
    [Symbol.dispose]() {
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.destroy();
    },
  };
}
