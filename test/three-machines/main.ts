import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { until } from '../support/hanging.ts';
import { checkMachine } from '../support/machine.ts';
import { COMMAND, Mount, run } from '../support/mount.ts';
import { ENGINE, Network } from '../support/network.ts';
import { joinRun, makeDir, pulse, startRun } from '../support/run.ts';
import { PAGE, PAGES, pageOf, type Tally } from './client.ts';

/**
 * npm run three-machines -- [--seconds N]
 *
 * Three machines and an engine in network namespaces. Clients on each write pages, look at those of others, and append, all with content
 * that can be checked, while one machine is cut off for a while, and then the engine is killed. Prints what went wrong, and ends with
 * status 1 if anything did.
 */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const seconds = Number(values.seconds);
const MACHINES = [1, 2, 3];
/** How long a call may take, in seconds; the kernel and a busy machine take their time too. */
const TIMEOUT = 5;
const HANGS = (TIMEOUT + 2) * 1000;

checkMachine();
const ran = await startRun();
joinRun(ran.dir);
const beat = setInterval(pulse, 1000);
let isWrong = false;
{
  using network = new Network(MACHINES.length);
  const dir = makeDir('engine');
  let engine = await startEngine();
  const mounts: Mount[] = [];
  const on = async (machine: number, key: string) => {
    const at = [
      '--on',
      `redis://${ENGINE}`,
      '--key',
      key,
      '--timeout',
      `${TIMEOUT}`,
      '--max-size',
      '64M',
      '--json',
    ];
    const [program, ...words] = [
      ...network.on(machine),
      process.execPath,
      COMMAND,
      'mount',
      makeDir(key),
      ...at,
    ];
    const { status, stdout, stderr } = await run(program ?? '', ...words);
    if (status !== 0) throw new Error(stderr);
    const mount = new Mount(JSON.parse(stdout));
    mounts.push(mount);
    return mount.file;
  };
  try {
    const files = [];
    for (const machine of MACHINES)
      files.push([machine, await on(machine, 'data'), await on(machine, 'log')] as const);
    const running = files.map(([machine, data, log]) => startClients(machine, data, log));
    await sleep(seconds * 250);
    console.log('machine 2 is cut off');
    network.cut(2, true);
    await sleep(Math.min(8000, seconds * 150));
    network.cut(2, false);
    console.log('machine 2 is there again');
    await sleep(seconds * 200);
    console.log('the engine is killed');
    engine.kill('SIGKILL');
    await sleep(1000);
    engine = await startEngine();
    console.log('the engine is there again, with what it had');
    const tallies = await Promise.all(running);
    isWrong = report(tallies, files);
  } finally {
    for (const mount of mounts) await mount[Symbol.asyncDispose]();
    engine.kill('SIGKILL');
  }

  async function startEngine(): Promise<ChildProcess> {
    const own = [
      '--bind',
      ENGINE,
      '--protected-mode',
      'no',
      '--save',
      '',
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
    ];
    const [program, ...words] = [...network.on(0), 'redis-server', ...own, '--dir', dir];
    const started = spawn(program ?? '', words, { stdio: 'ignore' });
    const cli = [...network.on(0).slice(1), 'redis-cli', '-h', ENGINE, 'PING'];
    await until(
      async () => /PONG/.test((await run('nsenter', ...cli)).stdout),
      'The engine does not answer.',
    );
    return started;
  }
}
clearInterval(beat);
const left = ran.end();
for (const line of left) console.log(`Left behind: ${line}`);
process.exitCode = isWrong || left.length > 0 ? 1 : 0;

function startClients(machine: number, data: string, log: string): Promise<Tally> {
  const client = fork(join(import.meta.dirname, 'client.ts'), [`${machine}`, data, log, `${seconds}`], {
    execArgv: ['--import', 'tsx'],
  });
  return new Promise((done, failed) => {
    client.once('message', (tally) => done(tally as Tally));
    client.once('exit', (how) => failed(new Error(`The clients of machine ${machine} ended: ${how}.`)));
  });
}

/** Prints the table. Returns whether anything is wrong. */
function report(tallies: readonly Tally[], files: readonly (readonly [number, string, string])[]): boolean {
  const rows = tallies.map((tally, i) => {
    const [machine, data, log] = files[i] ?? [0, '', ''];
    // Each machine looks at what all have done.
    const bytes = readFileSync(data);
    let wrong = tally.wrong;
    for (const { machine: owner, pages } of tallies) {
      for (let page = 0; page < PAGES; page++) {
        const at = (owner * PAGES + page) * PAGE;
        const found = bytes.subarray(at, at + PAGE);
        const may = pages[page] ?? [];
        if (
          !may.some((number) =>
            found.equals(number === 0 ? Buffer.alloc(found.length) : pageOf(owner, number)),
          )
        )
          wrong++;
      }
    }
    const records = new Map<string, number>();
    for (const record of readFileSync(log, 'latin1').split('\n').slice(0, -1)) {
      records.set(record, (records.get(record) ?? 0) + 1);
    }
    const appended = new Set(tallies.flatMap((one) => one.appended));
    const perhaps = new Set(tallies.flatMap((one) => one.perhaps));
    const lost = [...appended].filter((record) => records.get(record) !== 1).length;
    const foreign = [...records].filter(
      ([record, count]) => count !== 1 || !(appended.has(record) || perhaps.has(record)),
    ).length;
    const errors = Object.entries(tally.errors).map(([name, count]) => `${name} ${count}`);
    const hung = tally.longest > HANGS ? 1 : 0;
    return {
      cells: [
        machine,
        tally.calls,
        wrong,
        lost,
        foreign,
        hung,
        `${(tally.longest / 1000).toFixed(1)} s`,
        errors.join(', ') || 'none',
      ],
      isWrong: wrong + lost + foreign + hung > 0,
    };
  });
  const heading = [
    'machine',
    'calls',
    'wrong pages',
    'lost appends',
    'foreign or doubled records',
    'hung calls',
    'longest answer',
    'errors',
  ];
  for (const row of [heading, heading.map(() => '---'), ...rows.map(({ cells }) => cells)])
    console.log(`| ${row.join(' | ')} |`);
  return rows.some((row) => row.isWrong);
}
