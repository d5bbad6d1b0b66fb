import { parseArgs } from 'node:util';
import { checkMachine } from '../support/machine.ts';
import { joinRun, startRun } from '../support/run.ts';
import { plantSeed, seedFrom } from '../support/seed.ts';
import { cases } from './cases/index.ts';
import { Stage } from './stage.ts';
import { endTargets, targets } from './target.ts';

/**
 * npm run conformance -- [--seed N]
 *
 * Plays every case on every target, and prints where answers differ, why, and a table in Markdown. Ends with status 1
 * when a case failed or something was left behind.
 */
const { values } = parseArgs({ options: { seed: { type: 'string' } } });
const seed = seedFrom(values.seed);
checkMachine();
const run = await startRun();
joinRun(run.dir);
plantSeed(seed);
console.log(`--seed ${seed}`);
const started = performance.now();
const rows: (string | number)[][] = [];
let wrong = 0;
for (const target of targets) {
  const began = performance.now();
  const played = cases.filter((one) => target.takes(one));
  const counts = { pass: 0, 'expected difference': 0, fail: 0 };
  {
    await using stage = new Stage(target);
    for (const one of played) {
      const { outcome, text } = await stage.play(one);
      counts[outcome]++;
      if (outcome !== 'pass') console.log(`${target.name}: ${one.name}: ${outcome}: ${text}\n`);
    }
  }
  rows.push([target.name, played.length, ...Object.values(counts), seconds(began)]);
  wrong += counts.fail;
}

const heading = ['target', 'cases', 'pass', 'expected difference', 'fail', 'time'];
for (const row of [heading, heading.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
console.log(`\n${cases.length} cases on ${targets.length} targets in ${seconds(started)}.`);

await endTargets();
const left = run.end();
for (const line of left) console.log(`Left behind: ${line}`);
process.exitCode = wrong + left.length > 0 ? 1 : 0;

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
