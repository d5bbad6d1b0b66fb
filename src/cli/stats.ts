import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { Statistics } from '../daemon/control/messages.ts';
import { oneLine } from '../text/one-line.ts';
import { quote } from '../text/quote.ts';
import { type OperationStatistics, quantile } from '../transport/statistics.ts';
import { daemonOn, orFailure } from './ask.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { statsRows } from './options.ts';
import { prometheus } from './prometheus.ts';
import { statsTable } from './stats-table.ts';
import { UsageError } from './usage-error.ts';

export const statsCommand = new Command('stats')
  .summary('show what is asked of a directory, how often, and how long it takes')
  .description(
    'Shows what clients have asked of a directory since it was mounted: by operation and file how often, how much and with which errors, and how long it took; what its memory is, and how busy its threads are. What the kernel answers itself is not counted.',
  )
  .argument('<dir>', 'the directory')
  .action(run);
addFlags(statsCommand, statsRows);
addLists(statsCommand, {
  'Examples:': [
    ['ramproc stats /tmp/ram', 'since it was mounted'],
    ['ramproc stats /tmp/ram --watch --interval 5', 'by the second, every 5 seconds, until Ctrl-C'],
    ['ramproc stats /tmp/ram --prometheus', 'for node_exporter, as a textfile'],
  ],
});

/** In seconds. */
const INTERVAL = 1;

async function run(
  dir: string,
  { watch = false, interval, json = false, prometheus: scraped = false }: Flags<typeof statsRows>,
): Promise<void> {
  if (scraped && (json || watch)) {
    throw new UsageError(`Cannot use "--prometheus" with "${json ? '--json' : '--watch'}": leave one out.`);
  }
  const failure = `Cannot show statistics of ${quote(dir)}`;
  const { daemon, mount } = await daemonOn(dir, failure);
  const ask = () => orFailure(failure, () => daemon.ask('stats', {}));
  let before: Statistics | undefined;
  for (;;) {
    const now = await ask();
    if (scraped) console.log(prometheus(mount.dir, now));
    else if (json) console.log(oneLine(JSON.stringify(asJson(mount.dir, now))));
    else console.log(statsTable(mount.dir, now, before, interval ?? INTERVAL));
    if (!watch && interval === undefined) return;
    if (!json) console.log();
    before = now;
    await sleep((interval ?? INTERVAL) * 1000);
  }
}

function asJson(dir: string, { operations, ...now }: Statistics) {
  return { dir, ...now, operations: operations.map(withQuantiles) };
}

/** In milliseconds. */
function withQuantiles({ buckets, ...row }: OperationStatistics) {
  const of = (part: number) => quantile({ ...row, buckets }, part);
  return { ...row, p50: of(0.5), p99: of(0.99) };
}
