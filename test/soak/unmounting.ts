import { closeSync, openSync } from 'node:fs';
import { type Answer, must } from '../support/answer.ts';
import { calls } from '../support/calls/index.ts';
import { type Ended, type Mount, ramproc, run } from '../support/mount.ts';

/** A way to unmount a mount. It is held: somebody has its file open meanwhile. */
interface Way {
  readonly name: string;
  unmount(mount: Mount): Promise<Ended>;
  /** Whether who holds it may read this afterwards, when it read `before`. Without it nobody holds it. */
  held?(after: Answer<Buffer>, before: Buffer): boolean;
}

const ways: readonly Way[] = [
  {
    name: 'ramproc unmount --lazy',
    unmount: ({ dir }) => ramproc('unmount', '--lazy', dir),
    held: (after, before) => Buffer.isBuffer(after) && after.equals(before),
  },
  {
    name: 'ramproc unmount --force',
    unmount: ({ dir }) => ramproc('unmount', '--force', dir),
    // The kernel answers by itself with passthrough, from a file that is empty then.
    held: (after) => after === 'EBUSY' || (Buffer.isBuffer(after) && after.length === 0),
  },
  { name: 'fusermount3 -u', unmount: ({ dir }) => run('fusermount3', '-u', dir) },
  { name: 'ramproc unmount', unmount: ({ dir }) => ramproc('unmount', dir) },
  { name: 'SIGTERM', unmount: ({ pid }) => run('sh', '-c', `kill ${pid}`) },
];

/** Unmounts in the way whose turn it is, and waits for the daemon's end. Returns the way's name. */
export async function unmount(mount: Mount, turn: number): Promise<string> {
  const way = ways[turn % ways.length] as Way;
  if (way.held === undefined) await end(mount, way);
  else {
    const holder = openSync(mount.file, 'r');
    try {
      const before = must(calls.pread(holder, 4096, 0));
      await end(mount, way);
      const after = calls.pread(holder, 4096, 0);
      if (!way.held(after, before))
        throw new Error(`After "${way.name}", who has the file open reads ${after}`);
    } finally {
      closeSync(holder);
    }
  }
  await mount.ended();
  return way.name;
}

async function end(mount: Mount, { name, unmount }: Way): Promise<void> {
  const { status, stderr } = await unmount(mount);
  if (status !== 0) throw new Error(`"${name}" ended with status ${status}: ${stderr.trim()}`);
}
