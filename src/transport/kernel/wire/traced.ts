import type { Fields, Struct } from '../../../abi/c-struct.ts';
import { Opcode } from '../../../abi/fuse.ts';
import {
  fuseCopyFileRangeIn,
  fuseEntryOut,
  fuseFallocateIn,
  fuseForgetIn,
  fuseIoctlIn,
  fuseIoctlOut,
  fuseLseekIn,
  fuseLseekOut,
  fuseOpenIn,
  fusePollIn,
  fusePollOut,
  fuseReadIn,
  fuseSetattrIn,
  fuseWriteIn,
  fuseWriteOut,
} from '../../../abi/structs.ts';
import type { Traced } from '../../trace.ts';
import type { Call } from './call.ts';
import { namesIn } from './names.ts';
import { NO_REPLY } from './operation.ts';

const names = new Map<number, string>(Object.entries(Opcode).map(([name, opcode]) => [opcode, name]));

/** The kernel's name of an operation. */
export function operationName(opcode: number): string {
  return names.get(opcode) ?? `operation ${opcode}`;
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

/** Operations on a name in a directory. */
const named = new Set<number>([Opcode.LOOKUP, Opcode.UNLINK, Opcode.RMDIR]);

/** What there is to tell of a request that was answered so, after `ms` milliseconds. */
export function tracedOf(call: Call, answer: number, ms: number): Traced {
  const { opcode, nodeid: ino, uid, gid, pid: tid } = call.header;
  const [name] = named.has(opcode) ? namesIn(call, 0) : [];
  return {
    operation: operationName(opcode),
    ino,
    name,
    uid,
    gid,
    tid,
    details: details[opcode]?.(call) ?? {},
    result: answer === NO_REPLY ? undefined : resultOf(call, answer),
    ms,
  };
}

function resultOf(call: Call, answer: number): number {
  const { opcode } = call.header;
  if (answer < 0 || counted.has(opcode)) return answer;
  return results[opcode]?.(call) ?? 0;
}
