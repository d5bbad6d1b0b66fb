import { constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { must } from '../support/answer.ts';
import { ClientPool } from '../support/client.ts';
import { until } from '../support/hanging.ts';
import { COMMAND, type Mount, mount, ramproc, run } from '../support/mount.ts';
import { MountProgram } from '../support/mount-driver.ts';
import { mountAsNobody, NOBODY, ramprocAsNobody } from '../support/nobody.ts';
import { makeDir } from '../support/run.ts';

/** Stops every thread of a process. */
async function stop(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const states = () =>
    readdirSync(`/proc/${pid}/task`).map((task) =>
      readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8')
        .match(/^State:\t(.)/m)
        ?.at(1),
    );
  await expect.poll(() => new Set(states())).toEqual(new Set(['T']));
}

/** A mount whose daemon is stopped. Disposing it lets that go on, and end. */
async function stopped(at: Mount): Promise<Mount & AsyncDisposable> {
  await stop(at.pid);
  return Object.assign(at, {
    async [Symbol.asyncDispose]() {
      process.kill(at.pid, 'SIGCONT');
      if (mountAt(at.dir) !== undefined) await ramproc('unmount', '--lazy', at.dir);
      await at.ended();
    },
  });
}

const root = { who: 'root', uid: 0, start: mount, command: ramproc };
const nobody = { who: 'an ordinary user', uid: NOBODY, start: mountAsNobody, command: ramprocAsNobody };
const ways = [root, nobody].flatMap((way) => [
  { ...way, what: 'a file', options: [] },
  { ...way, what: 'a secret', options: ['--secret'] },
  { ...way, what: 'a file over libfuse', options: ['--transport', 'libfuse'] },
]);

const clients = new ClientPool();
afterAll(() => clients[Symbol.asyncDispose]());

/** Who looks for a file, and waits in the kernel for an answer. */
async function waitingFor(path: string, uid: number): Promise<{ readonly answer: Promise<unknown> }> {
  const client = await clients.take(uid);
  const answer = client.sys.stat(path).finally(() => clients.give(client));
  const wchan = () => readFileSync(`/proc/${client.pid}/wchan`, 'utf8');
  await until(() => /request|fuse/.test(wchan()), 'The client does not wait for an answer.');
  return { answer };
}

// Each test waits most of its time for who doesn't answer, and so they wait at once.
describe.concurrent.each(ways)(
  'a stopped daemon of $who with $what',
  ({ what, uid, start, command, options }) => {
    test('keeps no mount on it, beside it or below it from being answered', async () => {
      await using at = await stopped(await start(options));
      const { status, stderr } = await command('mount', at.dir);
      // The kernel tells nobody what a secret's process has open, and so the mount is asked.
      const isHidden = what === 'a secret';
      expect([status, stderr]).toEqual([
        32,
        isHidden
          ? `ramproc: Cannot mount on "${at.dir}": it is mounted already, by a daemon that does not answer; unmount it first with "ramproc unmount --lazy ${at.dir}".\n`
          : `ramproc: Cannot mount on "${at.dir}": it is mounted already; unmount it first with "ramproc unmount ${at.dir}".\n`,
      ]);
      expect(await command('mount', join(at.dir, 'below'))).toEqual({
        status: 32,
        stdout: '',
        stderr: `ramproc: Cannot mount on "${at.dir}/below": its way leads through "${at.dir}", whose daemon does not answer.\n`,
      });
      await using _beside = await start([]);
    });

    test('does not keep it from being unmounted, which says that it is stopped', async () => {
      await using at = await stopped(await start(options));
      const { status, stdout, stderr } = await command('unmount', at.dir, '--json');
      expect(status).toBe(0);
      expect(mountAt(at.dir)).toBeUndefined();
      expect(JSON.parse(stdout)).toMatchObject({ dir: at.dir, status: 'unknown' });
      expect(stderr).toBe(
        `ramproc: "${at.dir}" is unmounted, but its data may be there still: its daemon is stopped; "kill -CONT ${at.pid}" lets it go on.\n`,
      );
    });

    test.each(['--lazy', '--force'])(
      'does not keep %s from unmounting it while it is in use, and asked',
      async (how) => {
        const client = await clients.take(uid);
        const { sys } = client;
        await using at = await stopped(await start(options));
        process.kill(at.pid, 'SIGCONT');
        const fd = must(await sys.open(at.file, constants.O_RDWR));
        await stop(at.pid);
        const waiting = sys.pwrite(fd, Buffer.from('x'), 0);
        expect(await command('unmount', at.dir)).toMatchObject({
          status: 32,
          // A process that has changed its user is hidden from that user.
          stderr: expect.stringMatching(
            uid === 0 ? /it is in use by process \d+ \(/ : /it is in use by a process that you may not see/,
          ),
        });
        expect((await command('unmount', at.dir, how)).status).toBe(0);
        expect(mountAt(at.dir)).toBeUndefined();
        if (how === '--lazy' || uid !== 0) process.kill(at.pid, 'SIGCONT');
        // Root has cut the connection; without fusectl nobody else can, and who waits is answered when the daemon goes on.
        expect(await waiting).toEqual(
          how === '--force' && uid === 0 ? expect.stringMatching(/ECONNABORTED|ENOTCONN/) : 1,
        );
        await sys.close(fd);
        await clients.give(client);
      },
    );
  },
);

describe.concurrent.each(['kernel', 'libfuse'])('a program over %s whose handlers are stuck', (transport) => {
  /** With somebody who waits for it, and can't be ended by any signal. */
  async function stuck(dir: string): Promise<MountProgram & { waiting: Promise<unknown> }> {
    const program = await MountProgram.start(transport);
    expect((await program.do({ order: 'mount', dir })).error).toBeUndefined();
    const sign = makeDir('blocked');
    program.tell({ order: 'block', sign });
    await until(() => !existsSync(sign), 'The program goes on.');
    const { answer: waiting } = await waitingFor(join(dir, 'none'), 0);
    return Object.assign(program, { waiting });
  }

  test('keeps no mount on it or beside it from being answered', async () => {
    const dir = makeDir('stuck');
    await using program = await stuck(dir);
    expect((await ramproc('mount', dir)).stderr).toContain('it is mounted already');
    expect((await ramproc('mount', join(dir, 'below'))).stderr).toContain('does not answer');
    await using _beside = await mount();
    expect((await ramproc('unmount', '--force', dir)).status).toBe(0);
    expect(await program.waiting).toMatch(/ECONNABORTED|ENOTCONN/);
  });

  test.each(['--lazy', '--force'])('does not keep %s from unmounting it', async (how) => {
    const dir = makeDir('stuck');
    await using program = await stuck(dir);
    expect((await ramproc('unmount', how, dir)).status).toBe(0);
    expect(mountAt(dir)).toBeUndefined();
    await program[Symbol.asyncDispose]();
    expect(await program.waiting).toMatch(/ECONNABORTED|ENOTCONN/);
  });
});

// Not beside the others, whose mounts its namespace would keep alive.
test('an ordinary user cuts off a stopped daemon by --force where fusectl is mounted', async () => {
  await using at = await stopped(await mountAsNobody());
  const { answer } = await waitingFor(at.file, NOBODY);
  const as = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
  // In a namespace of its own, not to change the machine's; it has the mount too.
  const script = `mount -t fusectl fusectl /sys/fs/fuse/connections && exec setpriv ${as.join(' ')} "$@"`;
  const words = [process.execPath, COMMAND, 'unmount', '--force', at.dir];
  const { status, stderr } = await run('unshare', '-m', 'sh', '-c', script, 'sh', ...words);
  expect([status, stderr]).toEqual([0, expect.stringContaining('did not take the data')]);
  expect(await answer).toMatch(/ECONNABORTED|ENOTCONN/);
});
