import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import {
  dir,
  type ProcDirEntry,
  procCreateSeq,
  procCreateSingle,
  procDostring,
  procMkdir,
  procSymlink,
  single,
} from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../support/hanging.ts';
import { type Ended, run } from '../../support/mount.ts';
import { makeDir } from '../../support/run.ts';
import { Tree } from '../kernel/tree.ts';

let tree: Tree;
beforeAll(async () => {
  tree = await Tree.mount({});
  const { root } = tree;
  procCreateSingle('version', 0o444, root, () => readFileSync('/proc/version'));
  addLines('devices', root, '/proc/devices');
  addLines('kallsyms', root, '/proc/kallsyms');
  procSymlink('self', root, ({ pid }) => `${pid}`);
  root.addNames({
    lookup: (pid) =>
      /^\d+$/.test(pid) ? dir(0o555, { status: single(0o444, () => `Pid:\t${pid}\n`) }) : undefined,
  });
  const sysvipc = procMkdir('sysvipc', 0o555, root);
  for (const name of readdirSync('/proc/sysvipc')) addLines(name, sysvipc, `/proc/sysvipc/${name}`);
});
afterAll(() => tree[Symbol.asyncDispose]());

/** A file of rows, which are the lines of another one. */
function addLines(name: string, parent: ProcDirEntry, path: string): void {
  const start = () => readFileSync(path, 'utf8').match(/.*\n/g) ?? [];
  procCreateSeq(name, 0o444, parent, start, (line) => line);
}

/** How a shell script ends in a directory of its own, with FILE for the path of a file below another directory. */
async function ends(script: string, dir: string, name: string): Promise<Ended> {
  const path = `${dir}/${name}`;
  const { status, stdout, stderr } = await run(
    'sh',
    '-c',
    `exec </dev/null; cd ${makeDir('program')}; ${script.replaceAll('DIR', dir).replaceAll('NAME', name).replaceAll('FILE', path)}`,
  );
  const tidy = (text: string) => text.replaceAll(path, 'FILE').replaceAll(dir, 'DIR');
  return { status, stdout: tidy(stdout), stderr: tidy(stderr) };
}

const python = (program: string) => `python3 -c '
f = "FILE"
def tried(call, *args):
    try: return call(*args)
    except OSError as error: return error.errno
${program}'`;

describe.each(['version', 'devices'])('%s', (name) => {
  test.each([
    'less FILE',
    'less -E +G FILE',
    'cp -a FILE copy; stat -c "%s %a" copy; cat copy',
    'cp --sparse=always FILE copy; cat copy',
    'install -m 600 FILE copy; cat copy',
    'dd if=FILE bs=5 skip=1 count=2 status=none',
    'tar -cf - -C DIR NAME | tar -xOf - | wc -c',
    'tar -cvf archive -C DIR NAME; tar -tf archive',
    'rsync FILE copy; wc -c <copy',
    'rsync --inplace --whole-file FILE copy; wc -c <copy',
    'grep -c . FILE; grep -r e FILE | head -n 1; grep -L none FILE',
    'find FILE -printf "%y %m %s %b %n\\n"',
    'find FILE -size 0 -type f -readable',
    'sort FILE | uniq | wc -l; cut -c1-3 FILE; sed -n 1p FILE; awk "END { print NR }" FILE; od -c FILE | tail -n 1',
    'cmp FILE FILE; diff FILE FILE; md5sum <FILE; split -n 1 FILE; cat x*',
    'tac FILE; rev FILE; nl FILE; paste FILE; xxd FILE 2>&1 | head -n 2; strings -n 3 FILE 2>&1 | head -n 1',
    'while read -r line; do echo "$line"; done <FILE; read -r word _ <FILE; echo "$word"; echo "$(<FILE)"',
    'echo x >FILE; echo x >>FILE; truncate -s 0 FILE; truncate -s 5 FILE; truncate -s +1 FILE',
    'rm -f FILE; mv FILE other; ln FILE other; touch -c FILE; mkdir FILE; rmdir FILE; cp /dev/null FILE; test -w FILE',
    'chmod 444 FILE; stat -c %a FILE; setfattr -n user.x -v 1 FILE 2>&1 | tail -n 1; getfattr FILE 2>/dev/null',
    'busybox head -n 1 FILE; busybox tail -n 1 FILE; busybox wc -l <FILE; busybox grep -c . FILE; busybox od FILE | tail -n 1',
    'busybox dd if=FILE bs=7 2>/dev/null; busybox cp FILE copy; cat copy; busybox tar -cf a -C DIR NAME; tar -tf a',
    'exec 3<FILE; head -c 3 <&3; cat <&3; cat <&3',
    python('print(open(f).read(), open(f).readlines()[-1], sum(1 for _ in open(f)))'),
    python('print(open(f, "rb", 0).read(5), open(f, "rb").read(5), len(open(f, "rb").read()))'),
    python('o = open(f, "r+"); print(o.read(3), o.tell(), o.seek(1), o.read(3), o.read())'),
    python('o = open(f, "r+"); print(tried(o.seek, 0, 2), tried(o.truncate))'),
    python(
      'o = open(f, "r+b", 0); print(tried(o.write, b"x"), tried(o.seek, 0, 2), tried(o.seek, -1), o.read(4))',
    ),
    python('import os; o = os.open(f, os.O_RDONLY); print([tried(os.lseek, o, 0, w) for w in range(6)])'),
    python('import mmap, os; print(tried(mmap.mmap, os.open(f, os.O_RDONLY), 1, mmap.MAP_SHARED, 1))'),
    python(
      'import fcntl; o = open(f); print(fcntl.flock(o, 2), tried(fcntl.lockf, o, 1), tried(fcntl.ioctl, o, 0x7201))',
    ),
    python('import select; o = open(f); p = select.poll(); p.register(o); print(p.poll(0)[0][1])'),
    python('import select; o = open(f); print(tried(select.epoll().register, o))'),
  ])('is to "%s" what it is in /proc', async (script) => {
    expect(await ends(script, tree.dir, name)).toEqual(await ends(script, '/proc', name));
  });

  // Once more or not: tail takes every FUSE mount for one of another machine, and reads no further there than stat(2) says.
  test('is to tail -f what it is in /proc: shown, and then cut off', async () => {
    const text = readFileSync(`/proc/${name}`, 'utf8');
    const follow = async (dir: string) => {
      const tail = spawn('tail', ['-n', '+1', '-s', '0.01', '-f', `${dir}/${name}`]);
      let [out, error] = ['', ''];
      tail.stdout.on('data', (data) => {
        out += data;
      });
      tail.stderr.on('data', (data) => {
        error += String(data).replaceAll(dir, 'DIR');
      });
      await until(() => out.length >= text.length && error.endsWith('\n'), 'It does not follow.');
      tail.kill();
      return [await once(tail, 'exit'), error, out.startsWith(text)];
    };
    expect(await follow(tree.dir)).toEqual(await follow('/proc'));
  });
});

test.each([
  'wc FILE',
  'md5sum <FILE',
  'tail -n 3 FILE',
  'tail -c 100 FILE',
  'tail -c +5000000 FILE | md5sum',
  'head -n 3 FILE',
  'head -c -5000000 FILE | md5sum',
  'grep -c schedule FILE; grep -m 1 schedule FILE',
  'dd if=FILE bs=1M skip=2 count=1 iflag=fullblock status=none | md5sum',
  'dd if=FILE bs=3 skip=100000 count=3 status=none',
  'less +G FILE | md5sum',
  'cp FILE copy; md5sum <copy',
  'busybox tail -n 3 FILE',
  python('o = open(f, "rb"); print(o.seek(1000000), o.read(20), o.seek(5), o.read(20), len(o.read()))'),
])('kallsyms is to "%s" what it is in /proc', async (script) => {
  expect(await ends(script, tree.dir, 'kallsyms')).toEqual(await ends(script, '/proc', 'kallsyms'));
});

test.each([
  'ls -a FILE; ls -l FILE | cut -c1-10,13-20; du -a FILE',
  'find FILE -printf "%P %y %m %s %b %n\\n" | sort; find FILE -empty | sort',
  'grep -r key FILE | sort; grep -rl key FILE | sort; grep -r none FILE',
  'tar -cf - -C DIR NAME | tar -tf - | sort',
  'cp -r FILE copy; cd copy; cat msg sem shm',
  'rsync -r FILE copy; find copy | sort; wc -c copy/*/msg',
  'cd FILE; cat *; pwd; cd ..; pwd; cd NAME/..; pwd',
  'rm -rf FILE; mkdir FILE/x; touch FILE/x; rmdir FILE; mv FILE/msg FILE/x; ln -s x FILE/y; ls FILE',
  'cat FILE; dd if=FILE status=none; echo x >FILE; busybox ls FILE; busybox find FILE | sort',
  'python3 -c \'import os; print(sorted(os.listdir("FILE")), [e.is_file() for e in os.scandir("FILE")])\'',
  'node -e \'console.log(fs.readdirSync("FILE", { recursive: true }).sort(), fs.readFileSync("FILE/msg", "utf8"))\'',
])('a directory is to "%s" what it is in /proc', async (script) => {
  expect(await ends(script, tree.dir, 'sysvipc')).toEqual(await ends(script, '/proc', 'sysvipc'));
});

test.each([
  'stat -c "%F %a %s %b %h %N" FILE; ls -l FILE | cut -c1-10; find FILE -type l',
  'readlink FILE; readlink -f FILE/status; test -L FILE; test -d FILE; test -f FILE/status',
  'test "$(exec readlink FILE)" != $$; sh -c "exec 3<FILE/status; test -s FILE/status; grep -c ^Pid <&3"',
  'grep "^Pid" FILE/status; (cd FILE; cd ..; pwd); cat FILE; cat FILE/none',
  'rm FILE; rm -rf FILE; mv FILE other; ln FILE other; ln -s x FILE; mkdir FILE; touch -h FILE; chmod 777 FILE',
  'cp -P FILE copy; readlink copy; cp FILE copy; tar -cf - -C DIR NAME | tar -tvf - | cut -c1-10',
  python(
    'import os; print(tried(os.open, f, os.O_NOFOLLOW), tried(os.open, f, os.O_WRONLY), os.readlink(f) == str(os.getpid()))',
  ),
  python('import os; print(os.lstat(f).st_size, tried(os.unlink, f), tried(os.readlink, "DIR/version"))'),
])('a link is to "%s" what /proc/self is', async (script) => {
  const numberless = async (dir: string) =>
    JSON.stringify(await ends(script, dir, 'self')).replaceAll(/\d+/g, '0');
  expect(await numberless(tree.dir)).toEqual(await numberless('/proc'));
});

/** In a UTS namespace, of which each has its own name of the domain. */
test('fs.watch tells of writes as of a file in /proc/sys', async () => {
  procDostring('domainname', 0o644, tree.root, { value: '' }, 64);
  const program = `
    const [file] = process.argv.slice(1);
    const watcher = fs.watch(file, (event, name) => {
      console.log(event, name);
      watcher.close();
    });
    fs.readFileSync(file);
    fs.writeFileSync(file, 'one');`;
  const watch = (path: string) => run('unshare', '--uts', process.execPath, '-e', program, path);
  expect(await watch(tree.path('domainname'))).toEqual(await watch('/proc/sys/kernel/domainname'));
});
