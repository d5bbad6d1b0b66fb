import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { joinRun, pulse, startRun } from '../support/run.ts';
import { Machine } from '../support/shared-file.ts';
import { Watched } from '../support/watched.ts';

/**
 * npm run failover -- [--writes N] [--kills N] [--replicas N]
 *
 * A primary, a replica and a sentinel. Appends that can be checked, while the primary is killed again and again, and comes back as
 * the other's replica. With --replicas 1, which are all, no completed write may be lost; with 0, it counts what is.
 */
const { values } = parseArgs({
  options: {
    writes: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '20' },
    replicas: { type: 'string', default: '1' },
  },
});
const [writes, kills, replicas] = [Number(values.writes), Number(values.kills), Number(values.replicas)];
/** How many appends are under way at once. */
const LOOPS = 4;

const ran = await startRun();
joinRun(ran.dir);
const beat = setInterval(pulse, 1000);
let isOver = false;
const completed: string[] = [];
const perhaps: string[] = [];
try {
  await using watched = await Watched.start();
  await using machine = await Machine.start({
    on: watched.url,
    key: 'failover',
    maxSize: 64 << 20,
    replicas,
    timeout: 5000,
  });
  let number = 0;
  const append = async () => {
    while (number < writes || !isOver) {
      const record = `${number++}`.padEnd(15, '.');
      const answer = await machine.append(`${record}\n`);
      if (answer === 16) completed.push(record);
      else if (answer === 'ETIMEDOUT') perhaps.push(record);
      // An error at once would leave the others no turn.
      if (answer !== 16) await sleep(1);
    }
  };
  const appending = Promise.all(Array.from({ length: LOOPS }, append));
  for (let i = 0; i < kills; i++) {
    await watched.revive(await watched.kill());
  }
  isOver = true;
  await appending;
  const text = String(await machine.read(0, 64 << 20));
  const counts = new Map<string, number>();
  for (const record of text.split('\n').slice(0, -1)) counts.set(record, (counts.get(record) ?? 0) + 1);
  const lost = completed.filter((record) => !counts.has(record)).length;
  const doubled = [...counts.values()].filter((count) => count > 1).length;
  console.log('| replicas | kills | completed writes | lost | doubled | not known |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  console.log(
    `| ${replicas} of 1 | ${kills} | ${completed.length} | ${lost} | ${doubled} | ${perhaps.length} |`,
  );
  if (lost > 0) for (const sentence of machine.said) console.log(sentence);
  process.exitCode = doubled > 0 || (replicas > 0 && lost > 0) ? 1 : 0;
} finally {
  isOver = true;
  clearInterval(beat);
  for (const line of ran.end()) console.log(`Left behind: ${line}`);
}
