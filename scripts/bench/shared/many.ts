import { execFile } from 'node:child_process';
import { openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { cpuSeconds } from '../server-process.ts';
import { fio } from './fio.ts';
import { engine, mountPoint, socket } from './own.ts';

/**
 * npm run bench:shared:many -- [--seconds N]
 *
 * How much one engine gives to 1, 2, 5 and 10 mounts together, each with two clients of fio: as much as they can, and 250 calls a second each, as
 * all of it is on one machine. How busy the engine is then, and how soon a change shows on another mount with --io cached.
 */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' } } });
const seconds = Number(values.seconds);
const COUNTS = [1, 2, 5, 10];
/** Calls a second of a client that has something else to do too. */
const RATE = 250;
const run = promisify(execFile);
const ramproc = join(import.meta.dirname, '../../../bin/ramproc.js');
const dirs: string[] = [];
const daemons: number[] = [];
await sleep(300);
for (let i = 0; i < Math.max(...COUNTS); i++) await mount(`mount${i}`);
const [first = ''] = dirs;
await run('dd', [
  'if=/dev/urandom',
  `of=${join(first, 'rust-proc-file')}`,
  'bs=1M',
  'count=64',
  'conv=notrunc',
]);
console.log(
  '| what | mounts | calls a second, together | of the engine | of the daemons | of the clients and the kernel |',
);
console.log('| --- | --- | --- | --- | --- | --- |');
for (const [way, rate] of [
  ['read', RATE],
  ['write', RATE],
  ['read', undefined],
  ['write', undefined],
] as const) {
  for (const count of COUNTS) {
    const before = [cpuOf([engine.pid ?? 0]), cpuOf(daemons), cpuOfAll(), performance.now()] as const;
    const each = await Promise.all(
      dirs
        .slice(0, count)
        .map((one) => fio({ file: join(one, 'rust-proc-file'), way, size: 4096, clients: 2, seconds, rate })),
    );
    const took = (performance.now() - before[3]) / 1000;
    const [busy, served] = [cpuOf([engine.pid ?? 0]) - before[0], cpuOf(daemons) - before[1]];
    const rest = cpuOfAll() - before[2] - busy - served;
    const parts = [busy, served, rest].map((spent) => `${((spent / took) * 100).toFixed(0)} %`);
    console.log(
      `| 4 KiB ${way}${rate === undefined ? '' : `, ${2 * rate} a second each`} | ${count} | ${each.reduce((sum, one) => sum + one.rate, 0)} | ${parts.join(' | ')} |`,
    );
  }
}
await seen();
process.exit();

async function mount(name: string, ...options: string[]): Promise<string> {
  const at = mountPoint(name);
  const on = ['--on', `unix://${socket}`, '--key', 'bench', '--max-size', '256M'];
  const { stdout } = await run(process.execPath, [ramproc, 'mount', '--json', ...on, ...options, at]);
  dirs.push(at);
  daemons.push(JSON.parse(stdout).pid);
  return join(at, 'rust-proc-file');
}

/** The time that processes have been on a processor, in seconds. */
function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
}

/** The time that anything was on a processor, in seconds. Source: proc_stat(5). */
function cpuOfAll(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (
    readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? ''
  )
    .split(/ +/)
    .map(Number);
  return (user + nice + system + irq + softirq) / 100;
}

/** How soon what one mount writes is what another's page cache answers with. */
async function seen(): Promise<void> {
  const [one, other] = [await mount('cached0', '--io', 'cached'), await mount('cached1', '--io', 'cached')];
  const took: number[] = [];
  const [from, to] = [openSync(one, 'r+'), openSync(other, 'r')];
  const bytes = Buffer.alloc(4096);
  for (let i = 0; i < 500; i++) {
    const text = Buffer.from(`change ${String(i).padStart(5, '0')}`);
    readSync(to, bytes, 0, bytes.length, 0);
    const began = performance.now();
    writeSync(from, text, 0, text.length, 0);
    do await sleep(0);
    while (readSync(to, bytes, 0, bytes.length, 0) > 0 && !bytes.subarray(0, text.length).equals(text));
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  const at = (part: number) => `${took[Math.floor((took.length - 1) * part)]?.toFixed(2)} ms`;
  console.log(
    `\nWith --io cached, ${took.length} changes were seen on another mount after ${at(0.5)} (median), ${at(0.99)} (p99), ${at(1)} (longest).`,
  );
}
