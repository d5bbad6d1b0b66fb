import type { Fields, Struct } from '../../../abi/c-struct.ts';
import { Opcode } from '../../../abi/fuse.ts';
import {
  fuseCopyFileRangeIn,
  fuseEntryOut,
  fuseFallocateIn,
  fuseForgetIn,
  fuseFsyncIn,
  fuseIoctlIn,
  fuseIoctlOut,
  fuseLkIn,
  fuseLseekIn,
  fuseLseekOut,
  fuseOpenIn,
  fusePollIn,
  fusePollOut,
  fuseReadIn,
  fuseRename2In,
  fuseRenameIn,
  fuseSetattrIn,
  fuseWriteIn,
  fuseWriteOut,
} from '../../../abi/structs.ts';
import { forAllThreads } from '../../../sys/clock.ts';
import type { Traced } from '../../trace.ts';
import { type TraceOrder, whomToTell } from '../../tracers.ts';
import type { Call } from './call.ts';
import { namesIn } from './names.ts';
import { NO_REPLY } from './operation.ts';

const operations = new Map<number, string>(Object.entries(Opcode).map(([name, opcode]) => [opcode, name]));

/** The kernel's name of an operation. */
export function operationName(opcode: number): string {
  return operations.get(opcode) ?? `operation ${opcode}`;
}

type Read = (call: Call) => Record<string, number>;

function fields<F extends Fields>(struct: Struct<F>, ...shown: (keyof F & string)[]): Read {
  return (call) => {
    if (!call.isWhole(struct.size)) return {};
    const input = call.input(struct);
    return Object.fromEntries(shown.map((name) => [name, input[name]]));
  };
}

/** What a request asks for, by opcode. */
const details: Readonly<Record<number, Read>> = {
  [Opcode.OPEN]: fields(fuseOpenIn, 'flags'),
  [Opcode.OPENDIR]: fields(fuseOpenIn, 'flags'),
  [Opcode.READ]: fields(fuseReadIn, 'size', 'offset'),
  [Opcode.READDIR]: fields(fuseReadIn, 'size', 'offset'),
  [Opcode.WRITE]: fields(fuseWriteIn, 'size', 'offset'),
  [Opcode.SETATTR]: fields(fuseSetattrIn, 'valid', 'size', 'mode', 'uid', 'gid'),
  [Opcode.LSEEK]: fields(fuseLseekIn, 'offset', 'whence'),
  [Opcode.FALLOCATE]: fields(fuseFallocateIn, 'mode', 'offset', 'length'),
  [Opcode.COPY_FILE_RANGE]: fields(fuseCopyFileRangeIn, 'off_in', 'off_out', 'len'),
  [Opcode.FSYNC]: fields(fuseFsyncIn, 'fsync_flags'),
  [Opcode.GETLK]: fields(fuseLkIn, 'type', 'start', 'end'),
  [Opcode.SETLK]: fields(fuseLkIn, 'type', 'start', 'end'),
  [Opcode.SETLKW]: fields(fuseLkIn, 'type', 'start', 'end'),
  [Opcode.IOCTL]: fields(fuseIoctlIn, 'cmd', 'in_size', 'out_size'),
  [Opcode.POLL]: fields(fusePollIn, 'events', 'flags'),
  [Opcode.FORGET]: fields(fuseForgetIn, 'nlookup'),
};

/** What a reply says, where that isn't the length of its body, by opcode. */
const results: Readonly<Record<number, (call: Call) => number>> = {
  [Opcode.LOOKUP]: (call) => call.outputAt(fuseEntryOut, 0).nodeid,
  [Opcode.WRITE]: (call) => call.outputAt(fuseWriteOut, 0).size,
  [Opcode.COPY_FILE_RANGE]: (call) => call.outputAt(fuseWriteOut, 0).size,
  [Opcode.LSEEK]: (call) => call.outputAt(fuseLseekOut, 0).offset,
  [Opcode.IOCTL]: (call) => call.outputAt(fuseIoctlOut, 0).result,
  [Opcode.POLL]: (call) => call.outputAt(fusePollOut, 0).revents,
};

/** Operations whose reply is what was asked for, and not a struct about it. */
const counted = new Set<number>([Opcode.READ, Opcode.READDIR, Opcode.READLINK, Opcode.LISTXATTR]);

/** Operations on a name in a directory, and how far into the request's body that stands, in bytes. Source: fs/fuse/dir.c. */
const names: Readonly<Record<number, number>> = {
  [Opcode.LOOKUP]: 0,
  [Opcode.UNLINK]: 0,
  [Opcode.RMDIR]: 0,
  [Opcode.SYMLINK]: 0,
  [Opcode.LINK]: 8,
  [Opcode.MKDIR]: 8,
  [Opcode.RENAME]: fuseRenameIn.size,
  [Opcode.RENAME2]: fuseRename2In.size,
  [Opcode.MKNOD]: 16,
  [Opcode.CREATE]: 16,
  [Opcode.TMPFILE]: 16,
};

/** Tells of a request that was answered so, after `ms` milliseconds: what, and by their numbers whom. */
export type Tell = (call: Call, answer: number, ms: number) => void;

/** Tells those that want to know of it. `pathOf` is where an inode is in the tree, or ''. */
export function teller(
  orders: readonly TraceOrder[],
  pathOf: (ino: number) => string,
  tell: (traced: Traced, whom: readonly number[]) => void,
): Tell | undefined {
  if (orders.length === 0) return undefined;
  return (call, answer, ms) => {
    const { opcode, uid, gid, pid: tid } = call.header;
    // 0 of one whose message is gone.
    if (opcode === 0) return;
    const what = {
      operation: operationName(opcode),
      path: pathIn(call, pathOf),
      result: resultOf(call, answer),
    };
    const whom = whomToTell(orders, what);
    if (whom.length === 0) return;
    const at = forAllThreads(call.since);
    tell({ ...what, uid, gid, tid, details: details[opcode]?.(call) ?? {}, at, ms }, whom);
  };
}

/** The path of what a request is on. */
function pathIn(call: Call, pathOf: (ino: number) => string): string {
  const { opcode, nodeid } = call.header;
  const path = pathOf(nodeid);
  const start = names[opcode];
  const [name] = start === undefined ? [] : namesIn(call, start);
  return name === undefined || path === '' ? path : `${path === '/' ? '' : path}/${name}`;
}

function resultOf(call: Call, answer: number): number | undefined {
  const { opcode } = call.header;
  // A WRITE is written whole, and answered later.
  if (answer === NO_REPLY) return opcode === Opcode.WRITE ? call.input(fuseWriteIn).size : undefined;
  if (answer < 0 || counted.has(opcode)) return answer;
  return results[opcode]?.(call) ?? 0;
}
