import { closeSync, constants, openSync } from 'node:fs';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MNT_DETACH, mount, umount2 } from '../../src/sys/mount.ts';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { hungUp, mountGone } from '../../src/sys/watch.ts';
import { makeDir } from '../support/run.ts';
import { Tmpfs } from '../support/tmpfs.ts';

/** Holds a file without opening it, of which a file system is not told. Source: open(2). */
const O_PATH = 0o10000000;

/** A mount that nobody serves, which is enough to be mounted and unmounted. Returns its /dev/fuse and its number. */
function mountUnserved(dir: string): { connection: number; device: string } {
  const connection = openSync('/dev/fuse', constants.O_RDWR);
  mount('ramproc-test', dir, 'fuse', 0, `fd=${connection},rootmode=40000,user_id=0,group_id=0`);
  return { connection, device: mountAt(dir)?.device ?? '' };
}

/** Turns of the event loop between one step and the next: before, at and after each at which libuv tells the kernel its wishes. */
const turns = [0, 1, 2, 3].flatMap((before) => [0, 1, 2, 3].map((after) => ({ before, after })));

test.each(turns)(
  'a mount is seen to go $after turns of the event loop after another one changed, $before turns after the watch began',
  async ({ before, after }) => {
    const dir = makeDir('watched');
    const { connection, device } = mountUnserved(dir);
    try {
      const gone = mountGone(device, connection);
      for (let i = 0; i < before; i++) await setImmediate();
      new Tmpfs(4096)[Symbol.dispose]();
      for (let i = 0; i < after; i++) await setImmediate();
      expect(mountAt(dir)?.device).toBe(device);
      umount2(dir, MNT_DETACH);
      await gone;
      await hungUp(connection);
    } finally {
      closeSync(connection);
    }
  },
);

test('a mount that somebody holds is seen to go, and its connection to end with them', async () => {
  const dir = makeDir('watched');
  const { connection, device } = mountUnserved(dir);
  try {
    const gone = mountGone(device, connection);
    const holder = openSync(dir, O_PATH);
    umount2(dir, MNT_DETACH);
    await gone;
    let hasEnded = false;
    const ended = hungUp(connection).then(() => {
      hasEnded = true;
    });
    await sleep(50);
    expect(hasEnded).toBe(false);
    closeSync(holder);
    await ended;
  } finally {
    closeSync(connection);
  }
});
