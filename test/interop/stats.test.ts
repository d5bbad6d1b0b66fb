import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMAND, mount, ramproc, untilWorkerServes } from '../support/mount.ts';
import { mountAsNobody } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';

async function statsOf(dir: string) {
  const { status, stdout, stderr } = await ramproc('stats', dir, '--json');
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

describe.each(['kernel', 'libfuse'])('over %s', (transport) => {
  test('each request is counted, with its bytes, its errors and how long it took', async () => {
    await using at = await mount(['-s', '8K', '--transport', transport]);
    const before = await statsOf(at.dir);
    const file = openSync(at.file, 'w');
    for (let i = 0; i < 300; i++) writeSync(file, 'x'.repeat(100), 0);
    expect(() => writeSync(file, 'x', 1 << 20)).not.toThrow();
    expect(() => writeSync(file, 'x', 8192)).toThrow(/ENOSPC/);
    expect(existsSync(join(at.dir, 'nobody-is-called-so'))).toBe(false);
    const now = await statsOf(at.dir);
    expect(now).toMatchObject({ pid: at.pid, transport, open: 1, used: 8192, most: 8192 });
    const writes = now.operations.find(({ operation }: { operation: string }) => operation === 'WRITE');
    expect(writes).toMatchObject({ requests: 302, bytes: 30_001, errors: { ENOSPC: 1 } });
    expect(writes.timed).toBe(transport === 'kernel' ? writes.timed : 302);
    expect(writes.timed).toBeGreaterThanOrEqual(2);
    expect(writes.p50).toBeGreaterThan(0);
    expect(writes.p99).toBeGreaterThanOrEqual(writes.p50);
    expect(writes.max).toBeGreaterThanOrEqual(writes.p99);
    const sum = (all: { requests: number }[]) => all.reduce((total, { requests }) => total + requests, 0);
    expect(sum(now.threads)).toBe(sum(now.operations));
    expect(sum(now.operations)).toBeGreaterThan(sum(before.operations) + 302);
    closeSync(file);
    await expect.poll(async () => (await statsOf(at.dir)).open).toBe(0);
  });
});

test('a mount has a worker once there is more to do than to read a small file', async () => {
  await using at = await mount();
  const threads = async () =>
    (await statsOf(at.dir)).threads.map(({ name, requests }: Record<string, unknown>) => [
      name,
      requests !== 0,
    ]);
  for (let i = 0; i < 5; i++) readFileSync(at.file);
  expect(await threads()).toEqual([['event loop', true]]);
  await untilWorkerServes(at);
  expect(await threads()).toEqual([
    ['worker 0', true],
    ['event loop', true],
  ]);
});

test('mounts that one process serves are counted apart, with what its thread does for them since they were made', async () => {
  await using first = await mount();
  for (let i = 0; i < 200; i++) readFileSync(first.file);
  const dir = makeDir('joined');
  const { status, stdout } = await ramproc(
    'mount',
    dir,
    '--join',
    '--json',
    '--file',
    'one',
    '--file',
    'two=8k',
  );
  expect(status).toBe(0);
  const { pid } = JSON.parse(stdout);
  try {
    writeFileSync(join(dir, 'one'), 'one');
    expect(() => writeFileSync(join(dir, 'two'), Buffer.alloc(10_000))).toThrow('ENOSPC');
    const now = await statsOf(dir);
    const rows = Object.fromEntries(
      now.operations.map((row: { operation: string; path: string }) => [`${row.operation} ${row.path}`, row]),
    );
    expect(rows['WRITE /one']).toMatchObject({ requests: 1, bytes: 3, timed: 1, errors: {} });
    expect(rows['WRITE /two']).toMatchObject({ bytes: 8192, errors: { ENOSPC: expect.any(Number) } });
    expect(rows['GETXATTR /one']).toMatchObject({ errors: { ENOSYS: 1 } });
    expect(Object.keys(rows).filter((name) => /operation \d|rust-proc-file/.test(name))).toEqual([]);
    // Each that the event loop answers is timed.
    expect(now).toMatchObject({ pid, sample: 1, used: 12_288, open: 0 });
    const [thread] = now.threads;
    expect(now.threads).toHaveLength(1);
    const since = (Date.now() - Date.parse(now.since)) / 1000;
    expect(thread.cpu).toBeGreaterThan(0);
    expect(thread.cpu).toBeLessThanOrEqual(since + 0.1);
    const own = await statsOf(first.dir);
    expect(own.operations.filter(({ path }: { path: string }) => ['/one', '/two'].includes(path))).toEqual(
      [],
    );
    const table = (await ramproc('top', '--interval', '0.2')).stdout;
    expect(table).toMatch(new RegExp(`^${dir} .* ${pid}$`, 'm'));
    const { stdout: listed } = await ramproc('list');
    expect(listed).toMatch(new RegExp(`^${dir} +one,two +12 KiB .* ${pid} .* ok( +-)?$`, 'm'));
  } finally {
    expect((await ramproc('unmount', dir)).stderr).toBe('');
  }
});

test('what the kernel answers itself is not counted, and that is said', async () => {
  await using at = await mount(['--io', 'passthrough']);
  const file = openSync(at.file, 'w');
  for (let i = 0; i < 100; i++) writeSync(file, 'x');
  closeSync(file);
  const { operations } = await statsOf(at.dir);
  expect(operations.map(({ operation }: { operation: string }) => operation)).not.toContain('WRITE');
  const { stdout } = await ramproc('stats', at.dir);
  expect(stdout).toMatch(/^OPERATION +FILE +REQUESTS +BYTES +P50 +P99 +MAX +ERRORS$/m);
  expect(stdout).toMatch(
    /Each request is timed, .* isn't counted: the page cache, mappings, passthrough\.\n$/,
  );
});

test('Prometheus can read it', async () => {
  await using at = await mount();
  readFileSync(at.file);
  const { status, stdout } = await ramproc('stats', at.dir, '--prometheus');
  expect(status).toBe(0);
  expect(stdout).toContain(
    `ramproc_requests_total{dir="${at.dir}",operation="OPEN",file="/rust-proc-file"} 1\n`,
  );
  for (const line of stdout.trim().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+\{(\w+="[^"]*",?)+\} [\d.e+-]+)$/);
});

test('root may ask the daemon of another user, and what is not mounted is said in one sentence', async () => {
  await using at = await mountAsNobody();
  expect((await statsOf(at.dir)).pid).toBe(at.pid);
  expect(await ramproc('stats', '/')).toMatchObject({
    status: 32,
    stderr:
      'ramproc: Cannot show statistics of "/": it is not mounted by ramproc; "ramproc list" shows what is.\n',
  });
});

describe('top', () => {
  test('is one table where nobody looks', async () => {
    await using at = await mount();
    const { status, stdout, stderr } = await ramproc('top', '--interval', '0.2');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^DIRECTORY +OPEN +USED +REQ\/S /);
    expect(stdout).toMatch(new RegExp(`^${at.dir} .* ${at.pid}$`, 'm'));
    expect(stdout).not.toContain('\x1b');
  });

  test.each([
    ['q', 0],
    ['\x03', 0],
  ])('ends by %j in a terminal, which is given back as it was', async (key, status) => {
    await using at = await mount();
    const line = `stty cols 40 rows 10; ${process.execPath} ${COMMAND} top --interval 0.1; echo "status $?"; stty -a`;
    const child = spawn('script', ['-qec', line, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '' },
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (text.includes('q ends it')) child.stdin.write(key);
    });
    await new Promise((end) => child.once('close', end));
    expect(said).toContain(at.dir.slice(0, 40));
    expect(said).toContain(`status ${status}`);
    expect(said).toMatch(/ icanon/);
    expect(said).toContain('\x1b[7m');
    expect(said).not.toContain('\x1b[?25l');
  });
});
