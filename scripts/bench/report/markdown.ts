import type { Contender } from '../contenders/contender.ts';
import type { Results } from '../results.ts';
import { format, median } from '../statistics.ts';
import type { Metric, Topic } from '../workloads/workload.ts';

const titles: readonly (readonly [Topic, string])[] = [
  ['random', 'Random 4 KiB: requests a second'],
  ['sequential', 'Sequential 1 MiB, and 64 KiB mixed: MB/s'],
  ['p50', 'Latency, half of the requests within: µs'],
  ['p99', 'Latency, 99 % of the requests within: µs'],
  ['cpu', 'The server’s CPU seconds for 100,000 requests'],
  ['files', 'Opening, appending, copying whole'],
  ['growth', 'Appending: the time of the last tenth over that of the first'],
  ['start', 'Start and memory'],
];

/** What ratios are printed of: these topics of everybody, over this contender's. */
const comparisons: readonly (readonly [base: string, topics: readonly Topic[]])[] = [
  ['libfuse3', ['random', 'sequential', 'files', 'cpu']],
  ['tmpfs', ['random', 'sequential', 'files']],
  ['fuse-native-best', ['random', 'sequential', 'files']],
];

/** All results as Markdown tables: a row for each contender, medians with the least and the most. */
export function markdown(results: Results, description: string): string {
  const tables = titles.flatMap(([topic, title]) => {
    const metrics = results.metrics.filter((metric) => metric.topic === topic);
    return table(title, results, metrics, results.contenders, (contender, metric) =>
      results.figures(contender, metric),
    );
  });
  const ratios = comparisons.flatMap(([id, topics]) => comparison(results, id, topics));
  const failures = results.failures.map((failure) => `- Failed: ${failure}`);
  return [description, '', ...tables, ...ratios, ...failures, ''].join('\n');
}

function comparison(results: Results, id: string, topics: readonly Topic[]): string[] {
  const base = results.contenders.find((contender) => contender.id === id);
  if (base === undefined || results.unavailable(base) !== undefined) return [];
  const others = results.contenders.filter(
    (contender) => contender !== base && results.unavailable(contender) === undefined,
  );
  return topics.flatMap((topic) => {
    const [, title = ''] = titles.find(([known]) => known === topic) ?? [];
    const metrics = results.metrics.filter(
      (metric) => metric.topic === topic && results.figures(base, metric).length > 0,
    );
    return table(`Times ${base.label}: ${title}`, results, metrics, others, (contender, metric) =>
      results.ratios(contender, base, metric),
    );
  });
}

function table(
  title: string,
  results: Results,
  metrics: readonly Metric[],
  contenders: readonly Contender[],
  figures: (contender: Contender, metric: Metric) => readonly number[],
): string[] {
  if (metrics.length === 0) return [];
  const rows = contenders.map((contender) => {
    const reason = results.unavailable(contender);
    const cells = metrics.map((metric) => cell(figures(contender, metric)));
    return row([contender.label, ...(reason === undefined ? cells : unavailable(reason, metrics.length))]);
  });
  const head = row(['', ...metrics.map(({ label }) => label)]);
  const rule = row([':--', ...metrics.map(() => '--:')]);
  return [`**${title}**`, '', head, rule, ...rows, ''];
}

/** A row without figures. */
function unavailable(reason: string, columns: number): string[] {
  return [`not available: ${inCell(reason)}`, ...Array.from({ length: columns - 1 }, () => '')];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** A bar would end the cell. */
function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function cell(figures: readonly number[]): string {
  if (figures.length === 0) return '–';
  if (figures.length === 1) return format(median(figures));
  return `${format(median(figures))} (${format(Math.min(...figures))} – ${format(Math.max(...figures))})`;
}
