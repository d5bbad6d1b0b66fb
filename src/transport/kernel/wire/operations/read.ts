import { fuseReadIn } from '../../../../abi/structs.ts';
import { EINVAL } from '../../../../sys/errno.ts';
import { onFileWithFlags } from '../operation.ts';

/** The handler fills the reply's body in place. */
export const read = onFileWithFlags(fuseReadIn, (ops, file, call, input) => {
  const { size } = input;
  if (size > call.room) return -EINVAL;
  return ops.procRead(file, call.writer(0, size), input.offset, call.caller);
});
