import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { interrupted } from './command.ts';
import { compile } from './compile.ts';
import { contenders } from './contenders/all.ts';
import { machine } from './machine.ts';
import { full, type Plan, quick, standard, threads } from './plan.ts';
import { chart } from './report/chart.ts';
import { markdown } from './report/markdown.ts';
import { Results } from './results.ts';
import { firstByte, runRounds } from './rounds.ts';

interface Options {
  quick?: true;
  full?: true;
  threads?: number[];
  rounds?: number;
  contenders?: string[];
  output: string;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 1 or more.');
  return Number(text);
}

function parseContenders(text: string): string[] {
  const ids = text.split(',');
  for (const id of ids) {
    if (!contenders.some((contender) => contender.id === id)) {
      throw new InvalidArgumentError(`It must be of ${contenders.map((known) => known.id).join(',')}.`);
    }
  }
  return ids;
}

const program = new Command('bench')
  .description('Measures ramproc beside its peers, in one run, and writes a table and a chart.')
  .option('--quick', 'everything, but shortly: under 2 minutes')
  .option('--full', 'also a file of 1 GiB, and appends of 1 GiB in all: hours')
  .option('--threads <counts>', 'numbers of workers beside the C server, such as 1,2,4', (text) =>
    text.split(',').map(parseCount),
  )
  .option('--rounds <count>', 'how often everything is measured', parseCount)
  .option('--contenders <ids>', 'only these, with commas', parseContenders)
  .option('--output <dir>', 'where the report goes', fileURLToPath(new URL('results', import.meta.url)));

function planOf(options: Options): Plan {
  const { rounds, contenders: ids } = options;
  const counts = options.threads;
  const plan =
    counts !== undefined ? threads(counts) : options.quick ? quick : options.full ? full : standard;
  // What isn't comparable with a whole run must not take the place of its report.
  const name = rounds === undefined && ids === undefined ? plan.name : 'partial';
  return {
    ...plan,
    name,
    rounds: rounds ?? plan.rounds,
    contenders: plan.contenders.filter(({ id }) => ids === undefined || ids.includes(id)),
  };
}

async function bench(options: Options): Promise<void> {
  const plan = planOf(options);
  const dir = mkdtempSync(join(tmpdir(), 'ramproc-bench-'));
  try {
    const programs = await compile(dir);
    const description = await machine();
    const metrics = [...plan.workloads, ...plan.once].flatMap((workload) => workload.metrics);
    const results = new Results(plan.contenders, [...metrics, firstByte]);
    await runRounds({ plan, dir, programs, results });
    report(plan, options.output, results, description);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function report(plan: Plan, output: string, results: Results, description: string): void {
  mkdirSync(output, { recursive: true });
  const text = markdown(results, description);
  writeFileSync(join(output, `${plan.name}.md`), text);
  console.log(text);
  const base = plan.contenders.find(({ id }) => id === 'libfuse3');
  if (base !== undefined && results.unavailable(base) === undefined) {
    writeFileSync(join(output, `${plan.name}.svg`), chart(results, base));
  }
  console.error(`bench: the report is in ${join(output, plan.name)}.md, and the chart beside it`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());
try {
  await bench(program.parse().opts<Options>());
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
