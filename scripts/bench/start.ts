/**
 * npm run bench:start: what a start costs beside Node's own, as a Markdown table. Each line is a median of rounds in which all take
 * turns, in the environment that this is run in: NODE_EXTRA_CA_CERTS makes each start of Node slower, and ratios smaller.
 */

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROUNDS = 9;
const COMMAND = join(import.meta.dirname, '../../bin/ramproc.js');
/** Until a process that was just started is idle, in milliseconds. */
const SETTLES = 2000;

const dir = mkdtempSync(join(tmpdir(), 'ramproc-start-'));
const file = join(dir, 'rust-proc-file');

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
const run = (program: string, ...words: string[]) => execFileSync(program, words, { encoding: 'utf8' });
const mount = (): { pid: number } => JSON.parse(run(COMMAND, 'mount', '--json', dir));
const unmount = () => run(COMMAND, 'unmount', dir);

/** What each does, and what undoes it, which isn't counted. */
const starts: Record<string, { does(): unknown; undo?(): unknown }> = {
  'node -e 0': { does: () => run('node', '-e', '0') },
  'ramproc --version': { does: () => run(COMMAND, '--version') },
  'ramproc --help': { does: () => run(COMMAND, '--help') },
  'ramproc completion bash': { does: () => run(COMMAND, 'completion', 'bash') },
  'ramproc mount, until a byte is written and read': {
    does() {
      mount();
      writeFileSync(file, 'x');
      readFileSync(file);
    },
    undo: unmount,
  },
};

/** A process's memory, each page that it has once, in MB. Source: VmRSS, proc_pid_status(5). */
function memory(pid: number | undefined): number {
  const [, kilobytes] = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m) ?? [];
  return Number(kilobytes) / 1000;
}

async function idleNode(): Promise<number> {
  const node = spawn('node', ['-e', 'setInterval(() => {}, 1e9)'], { stdio: 'ignore' });
  await sleep(SETTLES);
  const idle = memory(node.pid);
  node.kill();
  return idle;
}

async function idleDaemon(): Promise<number> {
  const { pid } = mount();
  await sleep(SETTLES);
  const idle = memory(pid);
  unmount();
  return idle;
}

const times = new Map<string, number[]>(Object.keys(starts).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, { does, undo }] of Object.entries(starts)) {
    const start = performance.now();
    does();
    times.get(name)?.push(performance.now() - start);
    undo?.();
  }
}
const [node, daemon] = [await idleNode(), await idleDaemon()];
rmdirSync(dir);

const own = median(times.get('node -e 0') ?? []);
console.log('|  |  | times Node |\n| :-- | --: | --: |');
for (const [name, took] of times)
  console.log(`| ${name} | ${median(took).toFixed(0)} ms | ${(median(took) / own).toFixed(1)} |`);
console.log(`| idle node | ${node.toFixed(1)} MB | 1.0 |`);
console.log(`| idle daemon | ${daemon.toFixed(1)} MB | ${(daemon / node).toFixed(1)} |`);
