import { Opcode } from '../../../abi/fuse.ts';
import { fuseWriteIn, fuseWriteOut } from '../../../abi/structs.ts';
import type { Call } from './call.ts';
import { NO_REPLY } from './operation.ts';

/** How many bytes of data went to or from a file by a request that is answered so. */
export function bytesOf(call: Call, answer: number): number {
  switch (call.header.opcode) {
    case Opcode.READ:
      return Math.max(answer, 0);
    case Opcode.WRITE:
      // Without a reply, it is written whole, and answered later.
      if (answer === NO_REPLY) return call.input(fuseWriteIn).size;
      return answer > 0 ? call.outputAsItIs(fuseWriteOut).size : 0;
    case Opcode.COPY_FILE_RANGE:
      return answer > 0 ? call.outputAsItIs(fuseWriteOut).size : 0;
    default:
      return 0;
  }
}

/** What counts of an answer: no reply is no error. */
export function resultOf(answer: number): number {
  return answer === NO_REPLY ? 0 : answer;
}
