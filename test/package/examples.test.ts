import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { openDeviceToAll } from '../support/device.ts';
import { until } from '../support/hanging.ts';
import { run } from '../support/mount.ts';
import { NOBODY } from '../support/nobody.ts';
import { type Consumer, consumer, must, PROJECT, Started } from './consumer.ts';

const EXAMPLES = join(PROJECT, 'examples');
const names = readdirSync(EXAMPLES);

let project: Consumer;
beforeAll(async () => {
  project = await consumer();
  const dir = join(project.dir, 'examples');
  cpSync(EXAMPLES, dir, { recursive: true });
  const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: false };
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  await must(run(join(project.dir, 'node_modules/.bin/tsc'), '-p', dir));
});

const example = (name: string) => join(project.dir, 'examples', `${name}.js`);

/** The lines of `NAME VALUE` as an object. */
function fields(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/\s+(.*)/)),
  );
}

test.for(names)('%s has at most 25 lines, and is named by the README', (name) => {
  expect(readFileSync(join(EXAMPLES, name), 'utf8').split('\n').length - 1).toBeLessThanOrEqual(25);
  expect(readFileSync(join(PROJECT, 'README.md'), 'utf8')).toContain(name);
});

test('statistics are made when somebody reads them', async () => {
  await using program = await Started.node(example('statistics'));
  const statistics = async () => fields(await program.sh('cat statistics'));
  expect(await statistics()).toMatchObject({ requests: '0', bytes: '0' });
  expect(await program.sh('curl -s "$(cat address)"')).toBe('hello\n');
  expect(await statistics()).toMatchObject({ requests: '1', bytes: '6' });
});

test('a setting takes what is right, and says by its error what is wrong', async () => {
  await using program = await Started.node(example('setting'));
  expect(await program.sh('echo 5 >level && cat level')).toBe('5\n');
  expect(await program.sh('env echo many >level')).toContain('Invalid argument');
  expect(await program.sh('env echo 9 >level')).toContain('Numerical result out of range');
  expect(await program.sh('env echo 65 >workers')).toContain('Invalid argument');
  expect(await program.sh('echo 0x10 >workers; cat level workers')).toBe('5\n16\n');
});

test('a table of a million rows is made as far as it is read', async () => {
  await using program = await Started.node(example('table'));
  expect(await program.sh('head -n 2 table')).toBe('0\trow 0 of page 0\n1\trow 1 of page 0\n');
  expect(Number(await program.sh('cat made'))).toBeLessThan(100_000);
  expect(await program.sh("awk 'END { print; print NR }' table")).toBe(
    '999999\trow 999 of page 999\n1000000\n',
  );
});

test('a log gives each line to who waits for it, and none to who was killed', async () => {
  await using program = await Started.node(example('log'));
  const file = join(program.dir, 'log');
  const [killed, reader] = [spawn('cat', [file]), spawn('head', ['-n', '2', file])];
  const ended = [once(killed, 'close'), once(reader, 'close')];
  await until(async () => (await isBlocked(killed.pid)) && isBlocked(reader.pid), 'Nobody reads.');
  killed.kill();
  await ended[0];
  let read = '';
  reader.stdout.setEncoding('utf8').on('data', (text: string) => {
    read += text;
  });
  await program.sh('echo one >log; echo two >log');
  await ended[1];
  expect(read).toBe('one\ntwo\n');
  expect(await program.sh('dd if=log iflag=nonblock status=none')).toContain(
    'Resource temporarily unavailable',
  );
  const python = `
import fcntl, os, select
fd = os.open('log', os.O_RDONLY)
poll = select.poll()
poll.register(fd, select.POLLIN)
print(poll.poll(0))
os.system('echo three >log')
print(len(poll.poll()), os.read(fd, 2), os.read(fd, 100))
fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK)
try: os.read(fd, 100)
except BlockingIOError: print('would block')`;
  expect(await program.sh(`python3 -c "${python}"`)).toBe("[]\n1 b'th' b'ree\\n'\nwould block\n");
});

test('jobs have directories, which come and go with them', async () => {
  await using program = await Started.node(example('jobs'));
  expect(await program.sh('ls jobs')).toBe('self\n');
  await program.sh('echo sleep 100 >start; echo sleep 200 >start');
  const [first = '', second = ''] = (await program.sh("ls jobs | grep '[0-9]'")).trim().split('\n');
  expect(await program.sh(`cat jobs/${first}/command`)).toBe('exec sleep 100\n');
  expect(await program.sh('cat jobs/newest/command')).toBe('exec sleep 200\n');
  expect(await program.sh(`kill ${second}; while [ -e jobs/${second} ]; do sleep 0.01; done; ls jobs`)).toBe(
    `${first}\nself\n`,
  );
  expect(await program.sh('sh -c "echo \\$\\$; exec readlink jobs/self"')).toMatch(/^(\d+)\n\1\n$/);
  await program.sh(`kill ${first}`);
});

test('a page of the web is asked for by its reader, and no longer when that one is killed', async () => {
  const asked: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/page') response.end('page\n');
    else if (request.url === '/missing') response.writeHead(404).end();
    else asked.push(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  try {
    {
      await using program = await Started.node(example('page'), `${url}/page`);
      expect(await program.sh('cat page')).toBe('page\n');
    }
    {
      await using program = await Started.node(example('page'), `${url}/missing`);
      expect(await program.sh('cat page')).toContain('No such file or directory');
    }
    await using program = await Started.node(example('page'), `${url}/never`);
    const cat = spawn('cat', [join(program.dir, 'page')]);
    const ended = once(cat, 'close');
    await until(() => asked.length > 0, 'Nobody asks.');
    cat.kill();
    await until(() => asked[0]?.destroyed === true, 'The request goes on.');
    expect(await ended).toEqual([null, 'SIGTERM']);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('a counter is set by ioctl, and its changes are waited for by poll', async () => {
  await using program = await Started.node(example('counter'));
  const python = `
import fcntl, os, select, struct
fd, other = os.open('counter', os.O_RDWR), os.open('counter', os.O_RDWR)
GET, ADD, RESET = 0x80046301, 0x40046302, 0x6300
poll = select.poll()
poll.register(fd, select.POLLIN)
get = lambda: struct.unpack('i', fcntl.ioctl(fd, GET, bytes(4)))[0]
print(get(), len(poll.poll(0)))
fcntl.ioctl(other, ADD, struct.pack('i', 5))
print(len(poll.poll()), get(), len(poll.poll(0)))
fcntl.ioctl(other, RESET)
print(len(poll.poll()), get())
try: fcntl.ioctl(fd, 0x6309)
except OSError as error: print(error.strerror)`;
  expect(await program.sh(`python3 -c "${python}"`)).toBe(
    '0 0\n1 5 0\n1 0\nInappropriate ioctl for device\n',
  );
});

test('whoami says of each caller who it is', async () => {
  await using program = await Started.node(example('whoami'));
  const [pid, ...lines] = (await program.sh('sh -c "echo \\$\\$; exec cat whoami"')).split('\n');
  const root = { user: '0', group: '0', process: pid, thread: pid, program: 'cat' };
  expect(fields(lines.join('\n'))).toEqual(root);
  const nobody = await program.sh(`setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups cat whoami`);
  expect(fields(nobody)).toMatchObject({ user: `${NOBODY}`, group: `${NOBODY}` });
});

test('settings are an object and a tree at once', async () => {
  await using program = await Started.node(example('settings'));
  expect(await program.sh('cat port log/level log/files/1')).toBe('8080\ninfo\n/var/log/b\n');
  await program.sh('echo debug >log/level; echo yes >verbose; echo 80 >port');
  expect(JSON.parse(await program.sh('cat json'))).toMatchObject({
    port: 80,
    verbose: true,
    log: { level: 'debug' },
  });
  expect(await program.sh('env echo many >port')).toContain('Invalid argument');
});

test('notes are read and written by the program and its clients', async () => {
  await using program = await Started.node(example('notes'));
  expect(await program.sh('cat notes words')).toBe('made inside\n2\n');
  expect(await program.sh('echo one two three >notes; cat words')).toBe('3\n');
  expect(await program.sh('exec 3<notes; cat <&3; echo four >append; cat <&3')).toBe('one two three\nfour\n');
  expect(await program.sh('echo 3 >size; cat notes')).toBe('one');
});

const both = { below: ['one', 'two'] };

test.for([
  ['root', 0],
  ['an ordinary user', NOBODY],
] as const)('two mounts of %s end with their program, however it ends', async ([, uid]) => {
  using _device = openDeviceToAll();
  const as = ['setpriv', '--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups'];
  const command = [...as, process.execPath, example('two-mounts'), 'DIR'];
  const ends = {
    SIGINT: (program: Started) => program.process.kill('SIGINT'),
    SIGTERM: (program: Started) => program.process.kill('SIGTERM'),
    3: (program: Started) => run(...by, 'sh', '-c', 'echo exit >"$1/one/end"', 'sh', program.dir),
    1: (program: Started) => run(...by, 'sh', '-c', 'echo throw >"$1/two/end"', 'sh', program.dir),
  };
  const by = ['setpriv', ...as.slice(1)] as [string, ...string[]];
  for (const [how, end] of Object.entries(ends)) {
    const program = await Started.command(command, { ...both, uid });
    const [names] = [await run(...by, 'cat', `${program.dir}/one/name`, `${program.dir}/two/name`)];
    expect(names.stdout).toBe('one\ntwo\n');
    await end(program);
    expect(String(await program.ended())).toBe(how);
    for (const name of both.below) expect(mountAt(join(program.dir, name))).toBeUndefined();
  }
});

test('a test of a file needs no mount, root or /dev/fuse', async () => {
  const as = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
  const { stdout } = await must(run('setpriv', ...as, process.execPath, '--test', example('setting.test')));
  expect(stdout).toMatch(/pass 2$/m);
});

test('also as CommonJS', async () => {
  await using program = await Started.node(join(project.dir, 'examples/common.cjs'));
  expect(Number(await program.sh('cat uptime'))).toBeGreaterThan(0);
});

/** Whether a process sleeps in a request to FUSE. */
async function isBlocked(pid: number | undefined): Promise<boolean> {
  return readFileSync(`/proc/${pid}/stack`, 'utf8').includes('fuse');
}
