import type { Statistics } from '../daemon/control/messages.ts';
import { aspectText } from '../shared-file/check.ts';
import { engineText } from '../shared-file/status.ts';
import { duration } from '../text/duration.ts';
import { oneLine } from '../text/one-line.ts';
import { size } from '../text/size.ts';
import { type OperationStatistics, quantile } from '../transport/statistics.ts';
import { columns } from './columns.ts';
import { between } from './interval.ts';

/** What isn't known, or isn't there. */
const NONE = '-';

/** What is counted, and what isn't. */
function footnote(sample: number): string {
  const timed =
    sample === 1
      ? 'Each request is timed'
      : `One in ${sample} requests is timed, of those that workers answer`;
  return `${timed}, from when a thread has it until it is answered. What the kernel answers itself isn't counted: the page cache, mappings, passthrough.`;
}

/** All that was counted, or what was since `before`, by the second. */
export function statsTable(dir: string, now: Statistics, before?: Statistics, seconds = 1): string {
  const rows = between(before?.operations ?? [], now.operations);
  const per = (count: number) => (before === undefined ? count : count / seconds);
  const rate = before === undefined ? '' : '/S';
  const operations = columns(
    ['OPERATION', 'FILE', `REQUESTS${rate}`, `BYTES${rate}`, 'P50', 'P99', 'MAX', 'ERRORS'],
    rows.map((row) => [
      row.operation,
      row.path || '(others)',
      number(per(row.requests)),
      row.bytes === 0 ? NONE : size(Math.round(per(row.bytes))),
      ...times(row),
      errorsOf(row),
    ]),
  );
  const old = new Map(before?.threads.map((thread) => [thread.name, thread]));
  const span = before === undefined ? (Date.now() - Date.parse(now.since)) / 1000 : seconds;
  const threads = columns(
    ['THREAD', `REQUESTS${rate}`, 'CPU', 'LOAD'],
    now.threads.map(({ name, requests, cpu }) => {
      const then = old.get(name);
      const busy = cpu === undefined ? undefined : cpu - (then?.cpu ?? 0);
      return [
        name,
        number(per(requests - (then?.requests ?? 0))),
        busy === undefined ? NONE : `${busy.toFixed(2)} s`,
        busy === undefined ? NONE : percent(busy / span),
      ];
    }),
  );
  return [about(dir, now), operations, threads, footnote(now.sample)].join('\n\n');
}

function about(dir: string, now: Statistics): string {
  const { pid, transport, channel, io, since, used, most, resident, open, engine } = now;
  const by = channel === 'uring' ? `${transport} over io_uring` : transport;
  const how = io.length === 0 ? by : `${by}, ${io.join(' and ')} I/O`;
  const at = new Date(since).toLocaleString('sv');
  return [
    `${oneLine(dir)}: mounted ${at}, served by process ${pid} (${how})`,
    `memory: ${size(used)} of ${size(most)} in files, ${size(resident)} in the process; files open: ${open}`,
    ...(engine === undefined ? [] : [`engine: ${engineText(engine)}`]),
    ...(engine?.lacks ?? []).map((one) => `engine: ${aspectText(one)}`),
  ].join('\n');
}

/** How long requests took: half of them, nearly all, and the longest. */
export function times(row: OperationStatistics): string[] {
  return [quantile(row, 0.5), quantile(row, 0.99), row.timed === 0 ? undefined : row.max].map((ms) =>
    ms === undefined ? NONE : duration(ms),
  );
}

function errorsOf({ errors }: OperationStatistics): string {
  const all = Object.entries(errors).map(([name, count]) => `${name} ${count}`);
  return all.length === 0 ? NONE : all.join(', ');
}

export function number(count: number): string {
  return Number.isInteger(count) || count >= 100 ? String(Math.round(count)) : count.toFixed(1);
}

export function percent(part: number): string {
  return `${(part * 100).toFixed(part < 0.1 ? 1 : 0)} %`;
}
