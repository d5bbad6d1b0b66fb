import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { threadId } from 'node:worker_threads';
import {
  type DirOps,
  dir,
  Errno,
  file,
  type ProcNode,
  procCreateSingle,
  procMkdir,
  procRemove,
  procSetUser,
  single,
  symlink,
} from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import type { Dirent } from '../../support/calls/names.ts';
import { Client } from '../../support/client.ts';
import { until } from '../../support/hanging.ts';
import { run } from '../../support/mount.ts';
// biome-ignore lint/correctness/useImportExtensions: its types stand in a file of their own.
import { attach } from './told-in-a-worker.mjs';
import { Tree } from './tree.ts';

const { O_RDONLY, O_DIRECTORY } = constants;

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

/** A job's directory: what /proc/PID has that is asked for here. */
function jobDir(id: string): ProcNode {
  return dir(0o555, {
    status: single(0o444, () => `job ${id}\n`),
    exe: symlink('/bin/sh'),
    task: dir(0o555, { [id]: dir(0o555, {}) }),
  });
}

/** The two ways to write a lookup: the same node each time, or a new one. */
const ways = ['kept', 'made anew'] as const;

/** Jobs that come and go, as a directory's names. */
class Jobs implements DirOps {
  readonly nodes = new Map<string, ProcNode>();
  readonly #way: (typeof ways)[number];
  lookups = 0;

  constructor(way: (typeof ways)[number]) {
    this.#way = way;
  }

  add(id: string): void {
    this.nodes.set(id, jobDir(id));
  }

  lookup(id: string): ProcNode | undefined {
    this.lookups++;
    if (!this.nodes.has(id)) return undefined;
    return this.#way === 'kept' ? this.nodes.get(id) : jobDir(id);
  }

  iterate(): Iterable<string> {
    return this.nodes.keys();
  }
}

async function treeOf(jobs: DirOps): Promise<Tree> {
  const tree = await Tree.mount({});
  procMkdir('jobs', 0o555, tree.root, jobs);
  return tree;
}

/** All that a directory lists, by calls with room for `size` bytes each. */
async function list(fd: number, size = 4096): Promise<Dirent[]> {
  const all: Dirent[] = [];
  for (;;) {
    const some = must(await client.sys.getdents(fd, size));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

describe('a directory whose names are looked up', () => {
  test.each(ways)('has what its lookup finds, listed or not; nodes %s', async (way) => {
    const jobs = new Jobs(way);
    const listed = { ...jobs, lookup: (id: string) => jobs.lookup(id), iterate: () => ['1'] };
    await using tree = await treeOf(listed);
    for (const id of ['1', '2']) jobs.add(id);
    expect(await client.sys.readdir(tree.path('jobs'))).toEqual(['1']);
    expect(await client.sys.readdir(tree.path('jobs/2'))).toEqual(['exe', 'status', 'task']);
    expect(await client.sys.readlink(tree.path('jobs/2/exe'))).toBe('/bin/sh');
    expect((await run('cat', tree.path('jobs/2/status'))).stdout).toBe('job 2\n');
    expect(await client.sys.stat(tree.path('jobs/3'))).toBe('ENOENT');
    expect(await client.sys.stat(tree.path('jobs/2/none'))).toBe('ENOENT');
    jobs.nodes.delete('2');
    expect(await client.sys.stat(tree.path('jobs/2'))).toBe('ENOENT');
    expect(await client.sys.stat(tree.path('jobs/2/status'))).toBe('ENOENT');
  });

  test('has files that are added to it as well, which come first', async () => {
    const jobs = new Jobs('kept');
    await using tree = await treeOf(jobs);
    const directory = tree.root.child('jobs') ?? null;
    jobs.add('1');
    jobs.add('count');
    procCreateSingle('count', 0o444, directory, () => `${jobs.nodes.size}\n`);
    expect(await client.sys.readdir(tree.path('jobs'))).toEqual(['1', 'count']);
    expect((await run('cat', tree.path('jobs/count'))).stdout).toBe('2\n');
    jobs.nodes.clear();
    expect(await client.sys.readdir(tree.path('jobs'))).toEqual(['count']);
  });

  test('tells who asks, and answers what is thrown', async () => {
    const seen: unknown[] = [];
    await using tree = await treeOf({
      async lookup(name, { uid, pid }) {
        await undefined;
        seen.push(uid, pid);
        if (name === 'forbidden') throw new Errno('EACCES');
        return undefined;
      },
    });
    expect(await client.sys.stat(tree.path('jobs/forbidden'))).toBe('EACCES');
    expect(await client.sys.stat(tree.path('jobs/missing'))).toBe('ENOENT');
    expect(seen).toEqual([0, client.pid, 0, client.pid]);
    expect(await client.sys.readdir(tree.path('jobs'))).toEqual([]);
  });

  test.each(ways)('is what find, ls, tar and a shell expect; nodes %s', async (way) => {
    const jobs = new Jobs(way);
    await using tree = await treeOf(jobs);
    for (const id of ['1', '2', '3']) jobs.add(id);
    const sh = async (script: string) => {
      const { stdout, stderr, status } = await run('bash', '-c', `cd ${tree.dir}\n${script}`);
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
      return stdout;
    };
    expect((await sh('find jobs -type f | sort')).split('\n')).toEqual([
      ...['1', '2', '3'].map((id) => `jobs/${id}/status`),
      '',
    ]);
    expect(await sh('find jobs -mindepth 1 -maxdepth 1 -type d | wc -l')).toBe('3\n');
    expect(await sh('ls -l jobs/1 | wc -l')).toBe('4\n');
    expect(await sh('cd jobs/1/task; pwd -P; cd ../..; pwd -P; cat 2/status')).toBe(
      `${tree.dir}/jobs/1/task\n${tree.dir}/jobs\njob 2\n`,
    );
    expect(await sh('tar -cf - jobs | tar -tf - | grep -c task')).toBe('6\n');
    expect(await sh('grep -r job jobs | sort | tail -1')).toBe('jobs/3/status:job 3\n');
  });

  test.each(ways)('has inode numbers that last, and are listed; nodes %s', async (way) => {
    const jobs = new Jobs(way);
    await using tree = await treeOf(jobs);
    jobs.add('1');
    const held = must(await client.sys.open(tree.path('jobs/1'), O_RDONLY | O_DIRECTORY));
    const { ino } = must(await client.sys.fstat(held));
    expect(must(await client.sys.stat(tree.path('jobs/1'))).ino).toBe(ino);
    const fd = must(await client.sys.open(tree.path('jobs'), O_RDONLY | O_DIRECTORY));
    const listed = (await list(fd)).find(({ name }) => name === '1');
    expect(listed).toEqual({ name: '1', ino: BigInt(ino), type: 4 });
    await client.sys.close(fd);
    await client.sys.close(held);
  });

  test('a node that gives way to another is another file, and is gone', async () => {
    const jobs = new Jobs('kept');
    await using tree = await treeOf(jobs);
    jobs.add('1');
    const before = must(await client.sys.stat(tree.path('jobs/1/status')));
    const fd = must(await client.sys.open(tree.path('jobs/1/status'), O_RDONLY));
    jobs.add('1');
    expect(await client.sys.read(fd, 10)).toBe('ESRCH');
    await client.sys.close(fd);
    expect(must(await client.sys.stat(tree.path('jobs/1/status'))).ino).not.toBe(before.ino);
    expect((await run('cat', tree.path('jobs/1/status'))).stdout).toBe('job 1\n');
  });

  test('who has a file open goes on with the node that they opened', async () => {
    let made = 0;
    await using tree = await treeOf({
      lookup(name) {
        const mine = ++made;
        return name === 'file'
          ? file<string>(0o444, {
              open: () => `opened ${mine}`,
              lseek: (_file, offset) => offset,
              read: ({ privateData }, to) => to.write(Buffer.from(`${privateData}, read ${mine}`)),
            })
          : undefined;
      },
    });
    const fd = must(await client.sys.open(tree.path('jobs/file'), O_RDONLY));
    const mine = made;
    must(await client.sys.stat(tree.path('jobs/file')));
    expect(made).toBeGreaterThan(mine);
    expect(must(await client.sys.pread(fd, 100, 0)).toString()).toBe(`opened ${mine}, read ${mine}`);
    await client.sys.close(fd);
  });

  test('may have files that workers serve', async () => {
    await using tree = await treeOf({
      lookup: (name) => (name === 'file' ? file(0o444, attach({})) : undefined),
    });
    const { stdout, stderr } = await run('cat', tree.path('jobs/file'));
    expect(stderr).toBe('');
    expect(JSON.parse(stdout).threadId).not.toBe(threadId);
  });

  test('answers EIO for a file that needs what was not agreed on when the tree was mounted', async () => {
    const said: unknown[] = [];
    const { error } = console;
    console.error = (one) => said.push(one);
    try {
      await using tree = await treeOf({ lookup: () => file(0o444, attach({ mmap: true })) });
      expect(await client.sys.stat(tree.path('jobs/file'))).toBe('EIO');
      expect(String(said[0])).toMatch(/it needs "mmap"/);
    } finally {
      console.error = error;
    }
  });

  test('shows the owner that was set of a node', async () => {
    const node = jobDir('1');
    procSetUser(node, 1000, 1001);
    await using tree = await treeOf({ lookup: () => node });
    expect(await client.sys.stat(tree.path('jobs/1'))).toMatchObject({ uid: 1000, gid: 1001 });
  });
});

describe('what is gone answers as /proc/PID does', () => {
  /** The same calls on the directory of something that `end`s in their midst; what each answers. */
  async function calls(path: string, end: () => Promise<void>): Promise<Record<string, unknown>> {
    await using one = await Client.start();
    const { sys } = one;
    const open = async (name: string, flags = O_RDONLY) => must(await sys.open(`${path}${name}`, flags));
    const directory = await open('', O_RDONLY | O_DIRECTORY);
    const status = await open('/status');
    await sys.chdir(path);
    const here = {
      chmod: await sys.chmod('status', 0o600),
      chown: await sys.chown('status', 0, 0),
      create: await sys.open('none', constants.O_CREAT | constants.O_RDWR),
      mkdir: await sys.mkdir('none'),
      unlink: await sys.unlink('status'),
      rmdir: await sys.rmdir('task'),
      rename: await sys.rename('status', 'other'),
      rename_onto: await sys.rename('status', 'exe'),
      cwd: (await sys.readlink('/proc/self/cwd')) === path,
      read: must(await sys.pread(status, 3, 0)).length,
    };
    await end();
    const again = `/proc/self/fd/${status}`;
    const gone = {
      read: await sys.read(status, 100),
      lseek: await sys.lseek(status, 0, 0),
      read_again: await sys.read(status, 100),
      fstat: must(await sys.fstat(status)).nlink,
      poll: await sys.poll(status, 1, 0),
      getdents: await sys.getdents(directory, 4096),
      stat_here: await sys.stat('.'),
      stat_file: await sys.stat('status'),
      stat_none: await sys.stat('none'),
      open_here: await sys.open('.', O_RDONLY | O_DIRECTORY),
      open_file: await sys.open('status', O_RDONLY),
      readlink: await sys.readlink('exe'),
      chdir: await sys.chdir('task'),
      access: await sys.access('.', constants.R_OK),
      stat: await sys.stat(path),
      open: await sys.open(`${path}/status`, O_RDONLY),
      cwd: String(await sys.readlink('/proc/self/cwd')).replace(path, ''),
      reopened: typeof (await sys.open(again, O_RDONLY)),
      above: await sys.chdir('..'),
    };
    return { here, gone };
  }

  async function callsOnProc(): Promise<Record<string, unknown>> {
    const process: ChildProcess = spawn('sleep', ['1000']);
    return calls(`/proc/${process.pid}`, async () => {
      process.kill('SIGKILL');
      await once(process, 'exit');
    });
  }

  test.each(ways)('to who holds its files and directories; nodes %s', async (way) => {
    const jobs = new Jobs(way);
    await using tree = await treeOf(jobs);
    jobs.add('1');
    const ours = await calls(tree.path('jobs/1'), async () => {
      jobs.nodes.delete('1');
    });
    expect(ours).toEqual(await callsOnProc());
  });

  test('also when the directory that it was looked up in is removed', async () => {
    const jobs = new Jobs('kept');
    await using tree = await treeOf(jobs);
    jobs.add('1');
    const fd = must(await client.sys.open(tree.path('jobs/1/status'), O_RDONLY));
    const directory = tree.root.child('jobs');
    if (directory !== undefined) procRemove(directory);
    expect(await client.sys.read(fd, 10)).toBe('ESRCH');
    await client.sys.close(fd);
    expect(await client.sys.stat(tree.path('jobs/1'))).toBe('ENOENT');
  });
});

describe('a listing of names that are looked up', () => {
  const NAMES = 2000;

  test('has each name that stays once, while others come and go', async () => {
    const jobs = new Jobs('kept');
    await using tree = await treeOf(jobs);
    for (let i = 0; i < NAMES; i++) jobs.add(`${i % 2 === 0 ? 'stays' : 'goes'}-${i}`);
    const fd = must(await client.sys.open(tree.path('jobs'), O_RDONLY | O_DIRECTORY));
    const seen: string[] = [];
    for (let i = 1; ; i += 2) {
      const some = must(await client.sys.getdents(fd, 500));
      if (some.length === 0) break;
      seen.push(...some.map(({ name }) => name));
      jobs.nodes.delete(`goes-${i}`);
      jobs.nodes.delete(`goes-${NAMES - i}`);
      // No more than there is room for in a few calls: else it would have no end.
      if (i < 100) jobs.add(`comes-${i}`);
    }
    await client.sys.close(fd);
    expect(new Set(seen).size).toBe(seen.length);
    for (let i = 0; i < NAMES; i += 2) expect(seen).toContain(`stays-${i}`);
  });

  test('leaves out what is gone when it is looked up, and starts again from the start', async () => {
    const jobs = new Jobs('kept');
    let runs = 0;
    await using tree = await treeOf({
      lookup: (id) => jobs.lookup(id),
      *iterate() {
        runs++;
        yield* ['1', 'gone', '2'];
      },
    });
    for (const id of ['1', '2']) jobs.add(id);
    const fd = must(await client.sys.open(tree.path('jobs'), O_RDONLY | O_DIRECTORY));
    const names = async () => (await list(fd)).map(({ name }) => name);
    expect(await names()).toEqual(['.', '..', '1', '2']);
    expect(await names()).toEqual([]);
    expect(runs).toBe(1);
    must(await client.sys.lseek(fd, 0, 0));
    expect(await names()).toEqual(['.', '..', '1', '2']);
    expect(runs).toBe(2);
    await client.sys.close(fd);
  });

  test('goes back as far as is asked', async () => {
    const jobs = new Jobs('made anew');
    await using tree = await treeOf(jobs);
    for (let i = 0; i < NAMES; i++) jobs.add(`job-${i}`);
    const fd = must(await client.sys.open(tree.path('jobs'), O_RDONLY | O_DIRECTORY));
    const places: { at: number; next: string | undefined }[] = [];
    for (;;) {
      const at = must(await client.sys.lseek(fd, 0, 1));
      const [first] = must(await client.sys.getdents(fd, 4096));
      places.push({ at, next: first?.name });
      if (first === undefined) break;
    }
    for (const { at, next } of places.toReversed()) {
      must(await client.sys.lseek(fd, at, 0));
      expect(must(await client.sys.getdents(fd, 4096)).at(0)?.name).toBe(next);
    }
    await client.sys.close(fd);
  });

  test.each(['closed', 'killed'])('has its iterator closed when its reader is %s', async (how) => {
    const running = new Set<number>();
    await using tree = await treeOf({
      lookup: jobDir,
      async *iterate({ pid }) {
        running.add(pid);
        try {
          for (let i = 0; ; i++) yield `name-${i}`;
        } finally {
          running.delete(pid);
        }
      },
    });
    await using one = await Client.start();
    const fd = must(await one.sys.open(tree.path('jobs'), O_RDONLY | O_DIRECTORY));
    must(await one.sys.getdents(fd, 4096));
    expect([...running]).toEqual([one.pid]);
    if (how === 'closed') await one.sys.close(fd);
    else void one.sys.exit().catch(() => {});
    await until(() => running.size === 0, 'The iterator goes on.');
  });

  test('that waits for a name hears that its reader was killed', async () => {
    const heard: string[] = [];
    await using tree = await treeOf({
      lookup: jobDir,
      async *iterate({ signal }) {
        heard.push('started');
        await new Promise((end) => signal.addEventListener('abort', end));
        heard.push('aborted');
        yield 'late';
      },
    });
    await using one = await Client.start();
    const fd = must(await one.sys.open(tree.path('jobs'), O_RDONLY | O_DIRECTORY));
    void one.sys.getdents(fd, 4096).catch(() => {});
    await until(() => heard.length > 0, 'Nothing is iterated over.');
    process.kill(one.pid, 'SIGKILL');
    expect(await one.ended).toBe('SIGKILL');
    await until(() => heard.length > 1, 'The iterator heard of nothing.');
  });

  test('of a name that is none is EIO, and said', async () => {
    const said: unknown[] = [];
    const { error } = console;
    console.error = (one) => said.push(one);
    try {
      await using tree = await treeOf({ lookup: jobDir, iterate: () => ['a/b'] });
      expect(await client.sys.readdir(tree.path('jobs'))).toBe('EIO');
      expect(String(said[0])).toMatch(/"iterate" of a DirOps listed "a\/b", which is no file name: EINVAL/);
    } finally {
      console.error = error;
    }
  });
});

describe('a lookup that never answers', () => {
  test('lets a killed client go, whose signal is aborted, and keeps nobody else waiting', async () => {
    const aborted: string[] = [];
    await using tree = await treeOf({
      lookup(name, { signal }) {
        if (name !== 'never') return jobDir(name);
        aborted.push('asked');
        signal.addEventListener('abort', () => aborted.push(name));
        return new Promise(() => {});
      },
    });
    await using one = await Client.start();
    void one.sys.stat(tree.path('jobs/never')).catch(() => {});
    await until(() => aborted.length === 1, 'Nobody asks.');
    expect((await run('cat', tree.path('jobs/other/status'))).stdout).toBe('job other\n');
    process.kill(one.pid, 'SIGKILL');
    expect(await one.ended).toBe('SIGKILL');
    await until(() => aborted.length === 2, 'Its signal was not aborted.');
  });

  test('keeps no unmount, which aborts its signal', async () => {
    const aborted: string[] = [];
    const tree = await treeOf({
      lookup(name, { signal }) {
        aborted.push('asked');
        signal.addEventListener('abort', () => aborted.push(name));
        return new Promise(() => {});
      },
    });
    await using one = await Client.start();
    const answer = one.sys.stat(tree.path('jobs/never'));
    await until(() => aborted.length > 0, 'Nobody asks.');
    await tree[Symbol.asyncDispose]();
    expect(await answer).toMatch(/^ENOTCONN|ECONNABORTED$/);
    expect(aborted).toEqual(['asked', 'never']);
  });
});
