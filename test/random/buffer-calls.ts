import type { RamBuffer } from '../../src/ram-file/ram-buffer.ts';
import type { Timespec } from '../../src/sys/time.ts';
import { answer, done, must } from '../support/answer.ts';
import { bytesOf, type Calls, calls } from '../support/calls/index.ts';

/** What a read has to leave as it was, behind what it read. */
const UNTOUCHED = 0xee;

/**
 * A client's calls on a buffer: each file that is opened is the next of its views, which are of a thread each as far as
 * they can tell.
 */
export function bufferCalls(views: readonly [RamBuffer, ...RamBuffer[]]): Calls {
  let opened = 0;
  const view = (fd: number) => views[fd] ?? views[0];
  return {
    ...calls,
    open: () => opened++ % views.length,
    close: () => 0,
    pread(fd, length, offset) {
      const bytes = Buffer.alloc(length, UNTOUCHED);
      const count = answer(() => view(fd).read(bytes, 0, length, Number(offset)));
      const there = typeof count === 'number' ? count : 0;
      if (!bytes.subarray(there).equals(Buffer.alloc(length - there, UNTOUCHED))) {
        throw new Error(`A read of ${length} bytes at ${offset} answered ${count}, and put more there.`);
      }
      return typeof count === 'number' ? bytes.subarray(0, count) : count;
    },
    pwrite(fd, data, offset) {
      const bytes = bytesOf(data);
      return answer(() => view(fd).write(bytes, 0, bytes.length, Number(offset)));
    },
    ftruncate: (fd, size) => done(() => view(fd).truncate(Number(size))),
    fallocate: (fd, mode, offset, length) => done(() => view(fd).fallocate(mode, offset, length)),
    futimens: (fd, atime, mtime) => done(() => view(fd).setTimes(atime, mtime)),
    fstat(fd) {
      const { size, blocks, atime, mtime } = view(fd).stat();
      const rest = must(calls.fstat(views[0].state.noatime));
      return { ...rest, size, blocks, atime: nanoseconds(atime), mtime: nanoseconds(mtime) };
    },
  };
}

function nanoseconds({ sec, nsec }: Timespec): bigint {
  return BigInt(sec) * 1_000_000_000n + BigInt(nsec);
}
