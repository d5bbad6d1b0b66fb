import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mount as mountCall, umount2 } from '../../src/sys/mount.ts';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { must } from '../support/answer.ts';
import { Client } from '../support/client.ts';
import { COMMAND, type Ended, type Mount, mount, ramproc, runs } from '../support/mount.ts';
import { MountProgram } from '../support/mount-driver.ts';
import { Namespace } from '../support/namespace.ts';
import { mountAsNobody, NOBODY, ramprocAsNobody, runAsNobody } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';

const MS_BIND = 0x1000;

const root = { who: 'root', uid: 0, start: mount, command: ramproc };
const nobody = { who: 'an ordinary user', uid: NOBODY, start: mountAsNobody, command: ramprocAsNobody };
const ways = [root, nobody].flatMap((way) =>
  ['kernel', 'libfuse'].map((transport) => ({ ...way, transport, options: ['--transport', transport] })),
);

/** Writes to a file as its owner. */
async function fill(uid: number, { file }: Mount): Promise<void> {
  if (uid === 0) writeFileSync(file, 'data');
  else expect((await runAsNobody('sh', '-c', 'printf data > "$1"', 'sh', file)).stderr).toBe('');
}

/** What a command with --json says. */
function told({ stdout }: Ended): unknown {
  return JSON.parse(stdout);
}

describe.each(ways)('a mount of $who over $transport that another namespace has', (way) => {
  const { uid, start, command, options } = way;

  test('lives on there with its data, which unmount says, and ends when it is unmounted there', async () => {
    await using at = await start(options);
    await fill(uid, at);
    await using namespace = await Namespace.start();
    const ended = await command('unmount', at.dir, '--json');
    expect(ended.status).toBe(0);
    const where = { dir: at.dir, pid: expect.any(Number), command: expect.any(String) };
    expect(told(ended)).toEqual({ dir: at.dir, status: 'elsewhere', pid: at.pid, elsewhere: [where] });
    expect(ended.stderr).toMatch(
      /^ramproc: ".*" is unmounted here, and lives on with its data elsewhere: on ".*" in the mount namespace of process \d+ \(.*\); unmount it there too, or end its daemon with "kill \d+"\.\n$/,
    );
    expect((await namespace.run(uid, 'cat', at.file)).stdout).toBe('data');
    expect((await namespace.run(0, 'umount', '-i', at.dir)).stderr).toBe('');
    await at.ended();
  });

  test('lives on there no longer than its daemon, which SIGTERM ends', async () => {
    await using at = await start(options);
    await fill(uid, at);
    await using namespace = await Namespace.start();
    expect((await command('unmount', at.dir)).status).toBe(0);
    process.kill(at.pid, 'SIGTERM');
    await at.ended();
    const { stdout, stderr } = await namespace.run(uid, 'cat', at.file);
    // A call that meets the end of the connection is ECONNABORTED, and a later one ENOTCONN (fuse_abort_conn).
    expect([stdout, stderr]).toEqual(['', expect.stringMatching(/connection abort|not connected/)]);
  });
});

describe.each([root, nobody])('a secret of $who that another namespace has', ({ uid, start, command }) => {
  test.each(['', '--lazy'])('is taken by unmount %s', async (how) => {
    await using at = await start(['--secret']);
    await fill(uid, at);
    await using namespace = await Namespace.start();
    const ended = await command('unmount', at.dir, '--json', ...(how ? [how] : []));
    expect(ended.status).toBe(0);
    expect(told(ended)).toMatchObject({ dir: at.dir, status: 'taken' });
    expect(ended.stderr).toMatch(
      /^ramproc: ".*" is unmounted here, and its data is gone; it is still mounted /,
    );
    const { stdout, stderr } = await namespace.run(uid, 'cat', at.file);
    expect([stdout, stderr]).toEqual(['', expect.stringMatching(/No such file|busy/)]);
    // Its daemon ends with the last mount, or when it is told to.
    expect(runs(at.pid)).toBe(true);
    process.kill(at.pid, 'SIGTERM');
    await at.ended();
  });
});

test('a bind mount is named, and keeps the data, unless it is a secret', async () => {
  for (const secret of [false, true]) {
    await using at = await mount(secret ? ['--secret'] : []);
    await fill(0, at);
    const bound = makeDir('bound');
    mountCall(at.dir, bound, '', MS_BIND, '');
    try {
      const ended = await ramproc('unmount', at.dir, '--json');
      expect(told(ended)).toMatchObject({
        status: secret ? 'taken' : 'elsewhere',
        elsewhere: expect.arrayContaining([{ dir: bound }]),
      });
      expect(ended.stderr).toContain(secret ? 'its data is gone' : `elsewhere: on "${bound}"`);
      // The other of the two can be unmounted just as well.
      expect(mountAt(bound)?.type).toBe('fuse.ramproc');
      expect(told(await ramproc('unmount', bound, '--json'))).toMatchObject({ dir: bound, status: 'ended' });
      await at.ended();
    } finally {
      if (mountAt(bound) !== undefined) umount2(bound, 0);
    }
  }
});

describe('ramproc unmount --json', () => {
  test('says that nothing is left, when it has waited for that', async () => {
    await using at = await mount();
    const ended = await ramproc('unmount', at.dir, '--json');
    expect([ended.status, ended.stderr]).toEqual([0, '']);
    expect(told(ended)).toEqual({ dir: at.dir, status: 'ended', pid: at.pid });
  });

  test('says that its memory is being given back, or is, when it does not wait', async () => {
    await using at = await mount(['--secret']);
    await fill(0, at);
    const ended = await ramproc('unmount', at.dir, '--json', '--no-wait');
    // So little memory may be given back before the daemon is asked.
    expect(told(ended)).toMatchObject({ dir: at.dir, status: expect.stringMatching(/^(ending|ended)$/) });
    await at.ended();
  });

  test('says that who has it open keeps it, or has nothing any more', async () => {
    await using client = await Client.start();
    for (const [how, status] of [
      ['--lazy', 'open'],
      ['--force', 'taken'],
    ] as const) {
      await using at = await mount();
      await fill(0, at);
      const fd = must(await client.sys.open(at.file, constants.O_RDONLY));
      const ended = await ramproc('unmount', at.dir, '--json', how);
      expect([ended.status, ended.stderr]).toEqual([0, '']);
      expect(told(ended)).toEqual({ dir: at.dir, status, pid: at.pid });
      const read = await client.sys.pread(fd, 4, 0);
      expect(typeof read === 'string' ? read : read.toString()).toBe(how === '--lazy' ? 'data' : 'EBUSY');
      await client.sys.close(fd);
      await at.ended();
    }
  });

  test('says why it fails, to people and to programs', async () => {
    const dir = makeDir('mount');
    const ended = await ramproc('unmount', dir, '--json');
    const error = `Cannot unmount "${dir}": it is not mounted by ramproc.`;
    expect(ended).toMatchObject({ status: 32, stderr: `ramproc: ${error}\n` });
    expect(told(ended)).toEqual({ error, status: 32 });
  });
});

test('a program that has a mount of its own is not waited for', async () => {
  for (const transport of ['kernel', 'libfuse']) {
    await using program = await MountProgram.start(transport);
    const dir = makeDir('program');
    await program.do({ order: 'mount', dir });
    const ended = await ramproc('unmount', dir, '--json');
    expect([ended.status, ended.stderr]).toEqual([0, '']);
    expect(told(ended)).toEqual({ dir, status: 'ended', pid: program.pid });
    expect(runs(program.pid)).toBe(true);
  }
});

test('waits for the end of a daemon that it may not speak to, by looking at its process', async () => {
  await using at = await mountAsNobody();
  const as = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
  const command = ['-n', 'setpriv', ...as, process.execPath, COMMAND, 'unmount', at.dir, '--json'];
  const child = spawn('unshare', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [status] = await once(child, 'close');
  expect(status).toBe(0);
  expect(JSON.parse(said)).toEqual({ dir: at.dir, status: 'ended', pid: at.pid });
  expect(runs(at.pid)).toBe(false);
});
