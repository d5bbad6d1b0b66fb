/**
 * Mounts a tree of helpers on the directory that it is given, by the transport that it is given, and says so. Adds and removes jobs
 * as it is told, and tells of each request.
 */
import { readFileSync } from 'node:fs';
import {
  dir,
  mount,
  ProcDirEntry,
  procCreateSeq,
  procCreateSingle,
  procDointvecMinmax,
  procDostring,
  procMkdir,
  procSymlink,
  procTree,
  single,
  symlink,
} from 'ramproc';

const [, , directory, transport] = process.argv;
const root = ProcDirEntry.root();

async function* later(rows) {
  for (const row of rows) {
    await undefined;
    yield row;
  }
}

procCreateSingle('version', 0o444, root, async () => readFileSync('/proc/version'));
const lines = readFileSync('/proc/devices', 'utf8').match(/.*\n/g);
procCreateSeq(
  'devices',
  0o444,
  root,
  () => later(lines),
  (line) => line,
);
procDointvecMinmax('int', 0o644, root, { value: 0 }, 0);
procDostring('string', 0o644, root, { value: '' }, 64);
procSymlink('link', root, async () => 'jobs/1');
procSymlink('long', root, 'x'.repeat(5000));
procTree(procMkdir('tree', 0o555, root), { one: 1, below: { two: 2 } });

const jobs = new Set(['1']);
procMkdir('jobs', 0o555, root, {
  async lookup(id) {
    await undefined;
    if (!jobs.has(id)) return undefined;
    return dir(0o555, { status: single(0o444, () => `job ${id}\n`), exe: symlink('/bin/sh') });
  },
  iterate: () => later(jobs),
});

process.on('message', ({ add, remove }) => {
  if (add !== undefined) jobs.add(add);
  if (remove !== undefined) jobs.delete(remove);
  process.send('done');
});
process.channel.unref();
await mount(root, directory, { transport, trace: (event) => process.send?.(String(event)) });
process.send('mounted');
