import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';
import { size } from '../../src/text/size.ts';
import { seed } from '../support/seed.ts';
import { type Flatness, flatness, type Quarter, SHORTEST } from './flatness.ts';
import { type Journal, sum } from './journal.ts';

/** What a run was, in Markdown, and whether all was well. */
export interface Report {
  readonly text: string;
  readonly passed: boolean;
}

export function reportOf(journal: Journal): Report {
  const judged = [...journal.samples].flatMap(([kind, samples]) =>
    flatness(samples).map((one) => ({ kind, ...one })),
  );
  const grown = judged.filter(({ flat }) => !flat && journal.minutes >= SHORTEST);
  const passed = journal.failure === undefined && grown.length === 0;
  const { written, read, verified } = journal;
  const text = [
    `**Soak, ${journal.minutes.toFixed(1)} minutes from ${journal.started.toISOString()}: ${verdict(journal, grown)}**`,
    '',
    `Linux ${release()}, ${cpus().length} CPUs, Node ${process.version}, ${fioVersion()}, seed ${seed()}.`,
    '',
    ...(journal.failure === undefined ? [] : [`- Failed: ${firstLine(journal.failure)}`]),
    `- ${journal.cycles} cycles; ${sum(journal.remounts)} remounts: ${list(journal.remounts)}`,
    `- ${count(sum(journal.calls))} calls, each compared with tmpfs: ${list(journal.calls)}`,
    `- ${size(written)} written and ${size(read)} read by them`,
    `- ${count(journal.comparisons)} comparisons of everything, ${size(journal.compared)} in all`,
    `- fio, 4 jobs with crc32c: ${size(verified.written)} written, ${size(verified.read)} read back and right`,
    '',
    'Least / median / most of each quarter of the run:',
    '',
    row(['mount', 'of its daemon', '1st (warm-up)', '2nd', '3rd', '4th', 'flat']),
    row(['---', '---', '--:', '--:', '--:', '--:', '---']),
    ...judged.map((one) =>
      row([one.kind, one.figure, ...one.quarters.map((quarter) => cell(one, quarter)), flat(journal, one)]),
    ),
    '',
  ].join('\n');
  return { text, passed };
}

function verdict({ failure, minutes }: Journal, grown: readonly { kind: string; figure: string }[]): string {
  if (failure !== undefined) return 'failed';
  if (grown.length > 0)
    return `not flat, ${grown.map(({ kind, figure }) => `${figure} of ${kind}`).join(', ')}`;
  return minutes < SHORTEST ? 'no difference' : 'no difference, and all is flat';
}

function flat({ minutes }: Journal, one: Flatness): string {
  if (minutes < SHORTEST) return `not judged below ${SHORTEST} minutes`;
  return one.flat ? 'yes' : 'NO';
}

function cell({ figure }: Flatness, quarter: Quarter): string {
  const show = (value: number) => (figure === 'memory' ? (value / 2 ** 20).toFixed(1) : String(value));
  const { least, median, most } = quarter;
  return `${show(least)} / ${show(median)} / ${show(most)}${figure === 'memory' ? ' MiB' : ''}`;
}

function list(counts: Map<string, number>): string {
  return [...counts].map(([name, times]) => `${name} ${count(times)}`).join(', ');
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function firstLine({ message }: Error): string {
  return message.split('\n', 1).join();
}

function fioVersion(): string {
  return execFileSync('fio', ['--version'], { encoding: 'utf8' }).trim();
}
