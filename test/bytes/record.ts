import { constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ioctl } from '../../src/sys/ioctl.ts';
import { addressOf } from '../../src/sys/libc.ts';
import { answer, must } from '../support/answer.ts';
import {
  calls,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_UN,
  MAP_SHARED,
  POLLIN,
  PROT_READ,
  PROT_WRITE,
  SEEK_DATA,
  SEEK_HOLE,
} from '../support/calls/index.ts';
import { mount, run } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';
import { MAX_SIZE } from './world.ts';

const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND, O_TRUNC, O_CREAT, O_SYNC } = constants;
const TCGETS = 0x5401;
/** _IOWR('R', 9, 32 bytes): the kernel passes as many bytes on, and would take as many back. */
const IOWR = 0xc0205209;

/** A session of real clients on a real mount with some more options, as its recording. */
export async function record(more: readonly string[] = []): Promise<Buffer> {
  const recording = join(makeDir('record'), 'session');
  // One worker, for the requests to be served in the order in which they came.
  const options = ['--record', recording, '--threads', '1', '--max-size', String(MAX_SIZE), ...more];
  {
    await using mounted = await mount(options);
    await tools(mounted.dir, mounted.file);
    changes(mounted.dir, mounted.file);
    descriptor(mounted.file);
    names(mounted.dir, mounted.file);
  }
  return readFileSync(recording);
}

/** Programs that everybody has. */
async function tools(dir: string, file: string): Promise<void> {
  const programs: [program: string, ...parameters: string[]][] = [
    ['sh', '-c', 'echo hello >"$0"; echo more >>"$0"', file],
    ['cat', file],
    ['ls', '-la', dir],
    ['stat', file],
    ['dd', 'if=/dev/zero', `of=${file}`, 'bs=512', 'count=3', 'seek=1', 'conv=notrunc'],
    ['truncate', '-s', '6000', file],
    ['fallocate', '-p', '-o', '0', '-l', '4096', file],
    ['df', dir],
    ['cp', '--sparse=always', file, '/dev/null'],
    ['touch', '-d', '2001-02-03 04:05:06.789', file],
  ];
  for (const [program, ...parameters] of programs) {
    const { status, stderr } = await run(program, ...parameters);
    if (status !== 0) throw new Error(`"${program}" failed while it was recorded: ${stderr}`);
  }
}

function changes(dir: string, file: string): void {
  must(calls.chmod(file, 0o640));
  must(calls.chown(file, 1, 1));
  must(calls.chmod(file, 0o4666));
  must(calls.utimensat(file, { sec: 1, nsec: 2 }, { sec: 3, nsec: 4 }));
  must(calls.touch(file));
  must(calls.truncate(file, 3000));
  must(calls.access(file, 4));
  calls.chmod(dir, 0o700);
  must(calls.statfs(dir));
}

function descriptor(file: string): void {
  const fd = must(calls.open(file, O_RDWR));
  must(calls.pwrite(fd, 'a real request', 100));
  must(calls.pwrite(fd, Buffer.alloc(300, 'x'), 5000));
  must(calls.pread(fd, 200, 50));
  must(calls.readv(fd, [10, 20]));
  must(calls.writev(fd, ['one', 'two']));
  for (const mode of [0, 1, 3, 16, 17]) must(calls.fallocate(fd, mode, 8192, 4096));
  must(calls.ftruncate(fd, 40_000));
  must(calls.lseek(fd, 0, SEEK_DATA));
  must(calls.lseek(fd, 0, SEEK_HOLE));
  calls.lseek(fd, 50_000, SEEK_DATA);
  must(calls.copyFileRange(fd, 0, fd, 20_000, 500));
  must(calls.copyFileRange(fd, 0, fd, 20_480, 4096));
  must(calls.fsync(fd));
  must(calls.fdatasync(fd));
  must(calls.poll(fd, POLLIN, 0));
  calls.ioctl(fd, TCGETS);
  answer(() => ioctl(fd, IOWR, Number(addressOf(Buffer.alloc(32, 'i')))));
  must(calls.lock(fd, F_WRLCK, 0, 10));
  must(calls.lock(fd, F_UNLCK, 0, 10));
  must(calls.flock(fd, LOCK_EX));
  must(calls.flock(fd, LOCK_UN));
  const address = must(calls.mmap(fd, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED));
  calls.load(address, 10);
  calls.store(address, 'mapped');
  must(calls.msync(address, 4096));
  must(calls.munmap(address, 4096));
  must(calls.close(fd));
  for (const flags of [O_RDONLY, O_WRONLY | O_APPEND, O_WRONLY | O_TRUNC, O_RDWR | O_SYNC]) {
    const other = must(calls.open(file, flags));
    if (flags !== O_RDONLY) must(calls.write(other, 'short'));
    must(calls.close(other));
  }
}

/** All of them are refused, but they are asked. */
function names(dir: string, file: string): void {
  const there = join(dir, 'not-there');
  calls.open(there, O_WRONLY | O_CREAT);
  calls.mkdir(there);
  calls.mknod(there, 0o100644);
  calls.symlink('target', there);
  calls.link(file, there);
  calls.unlink(file);
  calls.rmdir(there);
  calls.rename(file, there);
  calls.rename(file, file);
  calls.rename(file, there, 1);
  calls.stat(there);
  must(calls.readdir(dir));
  const fd = must(calls.open(dir, O_RDONLY));
  calls.ioctl(fd, TCGETS);
  calls.fsync(fd);
  must(calls.close(fd));
}
