import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { until } from '../support/hanging.ts';
import { run } from '../support/mount.ts';
import { joinRun, makeDir, pulse, startRun } from '../support/run.ts';
import { Machine } from '../support/shared-file.ts';

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

const ran = startRun();
joinRun(ran.dir);
const beat = setInterval(pulse, 1000);
const ports = [await freePort(), await freePort(), await freePort()] as const;
const [sentinel] = ports;
const dir = makeDir('failover');
const engines = new Map<number, ChildProcess>();
let isOver = false;
const completed: string[] = [];
const perhaps: string[] = [];
try {
  await start(ports[1]);
  await start(ports[2], ports[1]);
  const lines = [
    `port ${sentinel}`,
    `sentinel monitor shared 127.0.0.1 ${ports[1]} 1`,
    'sentinel down-after-milliseconds shared 300',
    'sentinel failover-timeout shared 2000',
  ];
  writeFileSync(join(dir, 'sentinel.conf'), `${lines.join('\n')}\n`);
  engines.set(
    sentinel,
    spawn('redis-server', [join(dir, 'sentinel.conf'), '--sentinel'], { stdio: 'ignore', cwd: dir }),
  );
  await until(async () => (await primary()) === ports[1], 'The sentinel knows no primary.');
  await synced(ports[1]);
  const on = `redis-sentinel://127.0.0.1:${sentinel}/shared`;
  await using machine = await Machine.start({
    on,
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
    }
  };
  const appending = Promise.all(Array.from({ length: LOOPS }, append));
  for (let i = 0; i < kills; i++) {
    const down = await primary();
    engines.get(down)?.kill('SIGKILL');
    await until(async () => ![down, 0].includes(await primary()), 'No other is made the primary.');
    const up = await primary();
    await until(async () => /role:master/.test(await cli(up, 'INFO', 'replication')), 'It is no primary.');
    await start(down, up);
    await synced(up);
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
  process.exitCode = doubled > 0 || (replicas > 0 && lost > 0) ? 1 : 0;
} finally {
  isOver = true;
  for (const engine of engines.values()) engine.kill('SIGKILL');
  clearInterval(beat);
  for (const line of ran.end()) console.log(`Left behind: ${line}`);
}

async function start(port: number, of?: number): Promise<void> {
  const own = join(dir, `${port}`);
  mkdirSync(own, { recursive: true });
  const words = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    own,
    '--save',
    '',
    '--repl-diskless-sync-delay',
    '0',
  ];
  const replica = of === undefined ? [] : ['--replicaof', '127.0.0.1', `${of}`];
  engines.set(port, spawn('redis-server', [...words, ...replica], { stdio: 'ignore' }));
  await until(async () => (await cli(port, 'PING')) === 'PONG', `The engine at ${port} does not answer.`);
}

async function cli(port: number, ...words: string[]): Promise<string> {
  return (await run('redis-cli', '-p', `${port}`, ...words)).stdout.trim();
}

/** The port of what the sentinel takes for the primary, or 0. */
async function primary(): Promise<number> {
  return Number((await cli(sentinel, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'shared')).split('\n')[1] ?? 0);
}

/** The replica has what the primary has, and both the sentinel and the primary know of it. */
async function synced(port: number): Promise<void> {
  const isSynced = async () => /slave0:.*state=online/.test(await cli(port, 'INFO', 'replication'));
  await until(isSynced, 'The replica does not catch up.');
  const isKnown = async () => /flags\nslave\n/.test(await cli(sentinel, 'SENTINEL', 'REPLICAS', 'shared'));
  await until(isKnown, 'The sentinel does not know the replica.');
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
