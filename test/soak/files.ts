/**
 * npm run soak:files -- COUNT: so many polls, opens, interrupted reads and removals of files that a program serves, after each tenth of
 * which its heap must be where it was. Default: 10,000.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { mount, ProcDirEntry, procCreate, procCreateSingle, procRemove, WaitQueue } from 'ramproc';

const count = Number(process.argv[2] ?? 10_000);
/** What may come and go, in bytes. */
const SLACK = 2 ** 20;
const TENTHS = 10;

/** Does one thing a tenth of `count` times at each line that it is given. */
const CLIENT = `
import os, select, signal, sys
what, path, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
fd = os.open(path, os.O_RDONLY)
class Interrupted(Exception): pass
def interrupt(*_): raise Interrupted
signal.signal(signal.SIGALRM, interrupt)
poll = select.poll()
poll.register(fd, select.POLLIN)
def once():
    if what == 'polls': poll.poll(0)
    elif what == 'opens': os.close(os.open(path, os.O_RDONLY))
    else:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0005)
            os.read(fd, 100)
        except Interrupted: pass
for _ in sys.stdin:
    for _ in range(times): once()
    print('done', flush=True)
`;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** In bytes, once those have been told who wait for that, and the garbage is gone. */
async function heap(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    await new Promise((next) => setTimeout(next, 20));
    collect();
  }
  return process.memoryUsage().heapUsed;
}

const root = ProcDirEntry.root();
const queue = new WaitQueue();
procCreate('waits', 0o444, root, {
  read: async (_file, _to, _offset, caller) => void (await queue.waitEvent(() => false, caller)),
  poll(file, wake) {
    queue.pollWait(file, wake);
    return 0;
  },
});
const dir = mkdtempSync(join(tmpdir(), 'ramproc-soak-'));
const mounted = await mount(root, dir);

/** Calls `tenth` ten times. Says how the heap went, and fails when it grew. */
async function watch(what: string, tenth: () => Promise<void>): Promise<void> {
  const heaps: number[] = [];
  for (let i = 0; i < TENTHS; i++) {
    await tenth();
    heaps.push(await heap());
  }
  const [, second = 0] = heaps;
  const grown = (heaps.at(-1) ?? 0) - second;
  const list = heaps.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(' ');
  console.log(`${count} ${what}: heap in MiB ${list}${grown > SLACK ? ': it grows' : ''}`);
  if (grown > SLACK) process.exitCode = 1;
}

for (const what of ['polls', 'opens', 'interrupted reads']) {
  const parameters = ['-c', CLIENT, what, join(dir, 'waits'), `${Math.ceil(count / TENTHS)}`];
  const client = spawn('python3', parameters, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(client.stdout);
  const ended = once(client, 'exit');
  await watch(what, async () => {
    client.stdin.write('\n');
    const said = await Promise.race([once(lines, 'line'), ended]);
    if (said[0] !== 'done') throw new Error(`The client ended in the midst of ${what}.`);
  });
  client.stdin.end();
  await ended;
}
await watch('removals', async () => {
  for (let i = 0; i < count / TENTHS; i++) {
    procRemove(procCreateSingle(`file-${i}`, 0o444, root, () => 'text\n'));
    if (i % 100 === 0) await new Promise(setImmediate);
  }
});
await mounted.unmount();
rmdirSync(dir);
