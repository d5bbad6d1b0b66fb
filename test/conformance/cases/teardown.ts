import { constants, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mountAt } from '../../../src/sys/mountinfo.ts';
import { failed } from '../../support/answer.ts';
import { MAP_SHARED, PROT_READ } from '../../support/calls/index.ts';
import type { Tally } from '../../support/loads.ts';
import { type Mount, mount, ramproc, runs } from '../../support/mount.ts';
import { promptly } from '../../support/promptly.ts';
import { makeDir } from '../../support/run.ts';
import { type Case, check } from '../case.ts';
import type { Scene } from '../scene.ts';

const { O_RDWR } = constants;

/** How long a load goes on before the file goes, in milliseconds. */
const LOAD = 100;

/** What a call may end in when the file goes: its data was taken, its name is gone, or its daemon is. */
const GONE = ['data', 'EBUSY', 'ENOENT', 'ENOTCONN', 'ECONNABORTED', 'ENODEV'];

/**
 * What else when its daemon is killed: EIO where that was just taking the request over (fuse_dev_do_read), and ECANCELED where it would have
 * by io_uring (fuse_uring_send_in_task).
 */
const KILLED = [...GONE, 'EIO', 'ECANCELED'];

function unexpected(tallies: readonly Tally[], known = GONE): string[] {
  return tallies.flatMap((tally) => Object.keys(tally)).filter((key) => !known.includes(key));
}

/** A case on a mount of its own. */
function ends(name: string, play: (scene: Scene, own: Mount) => Promise<void>): Case {
  return check(
    name,
    async (scene) => {
      const { mount: own } = scene.place;
      if (own === undefined) throw new Error('This case is about a mount that the command made.');
      await play(scene, own);
    },
    { endsMount: true, oracle: { none: 'it is about the command and its daemon' } },
  );
}

/** Four processes that use the file until they are told to end, two through one descriptor and two through ever new ones. */
async function startLoad({ client, file }: Scene): Promise<{ end(): Promise<Tally[]> }> {
  const clients = [await client(), await client(), await client(), await client()];
  const sign = join(makeDir('load'), 'over');
  const loads = clients.map((one, i) =>
    i < 2 ? one.holdAndUse(file, { sign }) : one.openAndUse(file, { sign }),
  );
  await sleep(LOAD);
  return {
    end() {
      writeFileSync(sign, '');
      return Promise.all(loads);
    },
  };
}

export const teardownCases = [
  ends('unmount ends the daemon, and the directory is empty again', async ({ sys, dir, expect }, own) => {
    const { status, stderr } = await ramproc('unmount', dir);
    expect([status, stderr], [0, '']);
    expect(mountAt(dir), undefined);
    expect(sys.readdir(dir), []);
    await own.ended();
  }),

  ends(
    'unmount of a file in use names who uses it, and changes nothing',
    async ({ sys, open, dir, expect }, own) => {
      const fd = open();
      const { status, stderr } = await ramproc('unmount', dir);
      expect(status, 32);
      expect(stderr.includes(`${process.pid}`), true);
      expect(sys.pwrite(fd, 'abc', 0), 3);
      expect(sys.close(fd), 0);
      expect((await ramproc('unmount', dir)).status, 0);
      await own.ended();
    },
  ),

  ends(
    'unmount --lazy leaves an open file its data until it is closed',
    async ({ sys, open, dir, file, expect }, own) => {
      const fd = open();
      expect(sys.pwrite(fd, 'abc', 0), 3);
      expect((await ramproc('unmount', '--lazy', dir)).status, 0);
      expect(mountAt(dir), undefined);
      expect(sys.open(file, O_RDWR), 'ENOENT');
      expect(sys.pread(fd, 10, 0), 'abc');
      expect(sys.pwrite(fd, 'def', 3), 3);
      expect(runs(own.pid), true);
      expect(sys.close(fd), 0);
      await own.ended();
    },
  ),

  ends(
    'unmount --force takes the data from who has the file open',
    async ({ sys, open, dir, file, expect }, own) => {
      const fd = open();
      expect(sys.pwrite(fd, 'abc', 0), 3);
      expect((await ramproc('unmount', '--force', dir)).status, 0);
      expect(mountAt(dir), undefined);
      expect(sys.open(file, O_RDWR), 'ENOENT');
      for (const call of [
        sys.pread(fd, 10, 0),
        sys.pwrite(fd, 'x', 0),
        sys.ftruncate(fd, 0),
        sys.fstat(fd),
      ]) {
        expect(call, 'EBUSY');
      }
      expect(sys.close(fd), 0);
      await own.ended();
    },
  ),

  ends(
    'unmount --force takes the data from who has it mapped',
    async ({ open, sys, dir, file, client, mapped, expect }, own) => {
      expect(sys.pwrite(open(), 'abc', 0), 3);
      const other = await client();
      const theirs = Number(await other.open(file, O_RDWR));
      const memory = mapped(await other.mmap(theirs, 0, 4096, PROT_READ, MAP_SHARED));
      expect(await other.load(memory, 3), 'abc');
      expect((await ramproc('unmount', '--force', dir)).status, 0);
      const end = await other.load(memory, 3).catch((error: Error) => error.message);
      expect(end, 'The client ended: SIGBUS.');
      expect(runs(own.pid), true);
    },
  ),

  ends(
    'unmount --force under load: every call ends, in data or in an error that says it',
    async (scene, own) => {
      const load = await startLoad(scene);
      scene.expect((await ramproc('unmount', '--force', scene.dir)).status, 0);
      scene.expect(unexpected(await load.end()), []);
      scene.expect(mountAt(scene.dir), undefined);
      await own.ended();
    },
  ),

  ends('fusermount -u from outside ends the daemon right away', async ({ run, dir, expect }, own) => {
    expect((await run('fusermount', '-u', dir)).status, 0);
    await promptly(own.ended(), "The daemon's end");
  }),

  // SIGHUP begins a daemon's log anew: see test/interop/signals.test.ts.
  ...(['SIGTERM', 'SIGINT'] as const).map((signal) =>
    ends(`${signal} to the daemon unmounts and ends it`, async ({ dir, expect }, own) => {
      process.kill(own.pid, signal);
      await own.ended();
      expect(mountAt(dir), undefined);
    }),
  ),

  ends('SIGTERM under load: every call ends, in data or in an error that says it', async (scene, own) => {
    const load = await startLoad(scene);
    process.kill(own.pid, 'SIGTERM');
    await own.ended();
    scene.expect(unexpected(await load.end()), []);
    scene.expect(mountAt(scene.dir), undefined);
  }),

  ends(
    'SIGKILL to the daemon under load: every call ends, and the directory can be mounted again',
    async (scene, own) => {
      const load = await startLoad(scene);
      process.kill(own.pid, 'SIGKILL');
      await own.ended();
      scene.expect(unexpected(await load.end(), KILLED), []);
      const after = scene.sys.open(scene.file, O_RDWR);
      scene.expect(failed(after) && KILLED.includes(after), true);
      await using again = await mount([], scene.dir);
      scene.expect(again.dir, scene.dir);
    },
  ),
];
