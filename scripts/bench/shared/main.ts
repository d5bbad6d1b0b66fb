import { execFile, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { keyOf } from '../../../src/shared-file/layout.ts';
import { write } from '../../../src/shared-file/lua/write.ts';
import { cpuSeconds } from '../server-process.ts';
import { fio } from './fio.ts';
import { dir, engine, mountPoint, owned, socket } from './own.ts';

/**
 * npm run bench:shared -- [--seconds N]
 *
 * A shared file against its engine in the same run: fio on a mount, redis-benchmark with what carries its bytes (HMGET of as many pages; for 4 KiB the
 * script that writes, for 1 MiB HSET) and as many clients, and fio on a file in a Buffer of the event loop. Then how much of the processors each
 * call took, and how many calls two processors have time for.
 */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' } } });
const time = Number(values.seconds);
const run = promisify(execFile);
const [shared, loop] = [mountPoint('shared'), mountPoint('loop')];
const ramproc = join(import.meta.dirname, '../../../bin/ramproc.js');
const key = keyOf('bench');
let [client, generation, epoch] = ['', '', ''];
const other = owned(
  fork(join(import.meta.dirname, 'event-loop.ts'), [loop], {
    execArgv: ['--import', join(import.meta.dirname, '../../../test/support/typescript.mjs')],
  }),
);
await new Promise((mounted) => other.once('message', mounted));
await sleep(300);
await run(process.execPath, [
  ramproc,
  'mount',
  '--on',
  `unix://${socket}`,
  '--key',
  'bench',
  '--max-size',
  '256M',
  shared,
]);
const file = join(shared, 'rust-proc-file');
await run('dd', ['if=/dev/urandom', `of=${file}`, 'bs=1M', 'count=64', 'conv=notrunc']);

const cli = async (...words: string[]) => (await run('redis-cli', ['-s', socket, ...words])).stdout.trim();
[client = ''] = (await cli('HKEYS', `${key}:sessions`)).split('\n');
[generation, epoch] = [await cli('HGET', key, 'gen'), await cli('HGET', `${key}:client:${client}`, 'epoch')];
const [, who = '{}'] = (await cli('HVALS', `${key}:sessions`)).match(/^\d+ (.*)$/m) ?? [];
const pids = { daemon: Number(JSON.parse(who).pid), engine: engine.pid ?? 0 };
const costs: string[] = [];
console.log('| what | clients | shared file | its engine | share | event loop | share |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const [size, counts] of [
  [4096, [1, 4, 16]],
  [1 << 20, [1, 4]],
] as const) {
  for (const way of ['read', 'write'] as const) {
    for (const clients of counts) {
      const before = [cpuSeconds(pids.daemon), cpuSeconds(pids.engine)] as const;
      const { rate: ours, calls, seconds } = await fio({ file, way, size, clients, seconds: time });
      const spent = [seconds, cpuSeconds(pids.daemon) - before[0], cpuSeconds(pids.engine) - before[1]];
      const theirs = await benchmark(clients, size, way);
      const { rate: loops } = await fio({ file: join(loop, 'file'), way, size, clients, seconds: time });
      const share = (whole: number) => (ours / whole).toFixed(2);
      const name = `${size === 4096 ? '4 KiB' : '1 MiB'} ${way}`;
      console.log(`| ${[name, clients, ours, theirs, share(theirs), loops, share(loops)].join(' | ')} |`);
      const each = spent.map((one) => (one / calls) * 1e6);
      const sum = each.reduce((all, one) => all + one);
      const columns = [...each, sum].map((one) => one.toFixed(1));
      costs.push(`| ${[name, clients, ...columns, Math.round(2e6 / sum), ours].join(' | ')} |`);
    }
  }
}
console.log(
  '\n| us of a processor for a call | clients | client | daemon | engine | sum | two have time for | was |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
console.log(costs.join('\n'));
process.exit();

/** Calls a second of redis-benchmark, which takes what is written from its standard input. */
async function benchmark(clients: number, size: number, way: string): Promise<number> {
  const isScript = way === 'write' && size === 4096;
  const count = size === 4096 ? 30_000 : 600;
  const words = [
    '-s',
    socket,
    '-c',
    `${clients}`,
    '-n',
    `${count}`,
    '-r',
    '100000000',
    '--csv',
    ...(isScript ? ['-x'] : []),
  ];
  const fields = Array.from({ length: size / 4096 }, (_, i) => `page${i}`);
  const page = 'y'.repeat(4096);
  const pages = ['HSET', 'ramproc:{bench}:bench', ...fields.flatMap((field) => [field, page])];
  const command = isScript
    ? ['EVALSHA', write.sha, '1', key, generation, client, epoch, '__rand_int__', '0']
    : way === 'write'
      ? pages
      : ['HMGET', 'ramproc:{bench}:bench', ...fields];
  if (way === 'read') await run('redis-cli', ['-s', socket, ...pages]);
  const data = join(dir, 'data');
  writeFileSync(data, Buffer.alloc(size, 'y'));
  const { stdout } = await run('bash', [
    '-c',
    'redis-benchmark "$@" <"$0" | tail -c 200',
    data,
    ...words,
    ...command,
  ]);
  const [, second] =
    stdout
      .trim()
      .split('\n')
      .at(-1)
      ?.match(/,"([\d.]+)"/) ?? [];
  return Math.round(Number(second));
}
