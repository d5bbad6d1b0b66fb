import { areas } from '../test/conformance/cases/index.ts';
import { Stage } from '../test/conformance/stage.ts';
import { targets } from '../test/conformance/target.ts';
import { joinRun, startRun } from '../test/support/run.ts';

/** Plays every case on every target and prints a table. Ends with status 1 when one failed or something was left. */
const run = startRun();
joinRun(run.dir);
let failures = 0;
const rows = [];
for (const target of targets) {
  const started = performance.now();
  const counts = { pass: 0, 'expected difference': 0, fail: 0 };
  {
    await using stage = new Stage(target);
    for (const [area, cases] of Object.entries(areas)) {
      for (const one of cases.filter(({ oracle }) => target.takes(oracle))) {
        const { outcome, text } = await stage.play(one);
        counts[outcome]++;
        if (outcome === 'fail') console.log(`${target.name}: ${area}: ${one.name}: ${text}\n`);
      }
    }
  }
  const all = Object.values(counts).reduce((sum, count) => sum + count);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  rows.push({ target: target.name, cases: all, ...counts, seconds });
  failures += counts.fail;
}
console.table(rows);
const left = run.end();
for (const line of left) console.log(`Left behind: ${line}`);
process.exitCode = failures + left.length > 0 ? 1 : 0;
