import { expect, test } from 'vitest';
import { WaitQueue } from '../../../src/files/wait-queue.ts';
import { NOBODY } from '../../../src/proc-fs/caller.ts';
import type { ProcFile } from '../../../src/proc-fs/handler.ts';
import { ProcOps } from '../../../src/proc-fs/proc-ops.ts';

const waits = (signal = new AbortController().signal) => ({ nonblock: false, signal });
const newFile = (): ProcFile => ({ flags: 0, uid: 0, pos: 0, privateData: undefined });

test('what holds already is not waited for', async () => {
  expect(await new WaitQueue().waitEvent(() => 'there', waits())).toBe('there');
});

test('who waits is asked at each wake, until it holds', async () => {
  const queue = new WaitQueue();
  let asked = 0;
  const waited = queue.waitEvent(() => ++asked === 3 && 'now', waits());
  queue.wake();
  queue.wake();
  expect(await waited).toBe('now');
  queue.wake();
  expect(asked).toBe(3);
});

test('of several, who has waited longest takes first, and each thing is taken once', async () => {
  const queue = new WaitQueue();
  const things: string[] = [];
  const took = ['first', 'second', 'third'].map((name) =>
    queue.waitEvent(() => things.shift(), waits()).then((thing) => `${name} ${thing}`),
  );
  things.push('a', 'b');
  queue.wake();
  expect(await Promise.all(took.slice(0, 2))).toEqual(['first a', 'second b']);
  things.push('c');
  queue.wake();
  expect(await took[2]).toBe('third c');
});

test('who would rather not wait gets EAGAIN', async () => {
  const queue = new WaitQueue();
  await expect(queue.waitEvent(() => false, { ...waits(), nonblock: true })).rejects.toMatchObject({
    code: 'EAGAIN',
  });
  expect(await queue.waitEvent(() => true, { ...waits(), nonblock: true })).toBe(true);
});

test('who is gone gets EINTR, takes nothing, and is forgotten', async () => {
  const queue = new WaitQueue();
  const gone = new AbortController();
  const things: string[] = [];
  const waited = queue.waitEvent(() => things.shift(), waits(gone.signal));
  gone.abort();
  things.push('a');
  queue.wake();
  await expect(waited).rejects.toMatchObject({ code: 'EINTR' });
  await expect(queue.waitEvent(() => things.shift(), waits(gone.signal))).rejects.toMatchObject({
    code: 'EINTR',
  });
  expect(things).toEqual(['a']);
});

test('what the condition throws is thrown to who waits, and to nobody else', async () => {
  const queue = new WaitQueue();
  let broken = false;
  const bad = queue.waitEvent(() => {
    if (broken) throw new RangeError('broken');
    return false;
  }, waits());
  const good = queue.waitEvent(() => broken, waits());
  broken = true;
  queue.wake();
  await expect(bad).rejects.toThrow('broken');
  expect(await good).toBe(true);
});

test('a file that is polled again and again is woken once, and one that was closed not at all', () => {
  const queue = new WaitQueue();
  const woken: string[] = [];
  const [open, closed] = [newFile(), newFile()];
  const wake = () => woken.push('open');
  for (let i = 0; i < 1000; i++) queue.pollWait(open, wake);
  queue.pollWait(closed, () => woken.push('closed'));
  new ProcOps({}).procRelease(closed, NOBODY);
  queue.wake();
  queue.wake();
  expect(woken).toEqual(['open']);
  queue.pollWait(open, wake);
  queue.wake();
  expect(woken).toEqual(['open', 'open']);
});
