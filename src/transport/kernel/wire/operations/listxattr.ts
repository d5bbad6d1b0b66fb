import { fuseGetxattrIn, fuseGetxattrOut } from '../../../../abi/structs.ts';
import { operation } from '../operation.ts';
import type { TreeServer } from '../tree-server.ts';

/** There are none, as in /proc: an empty list, or for a size of 0 its length. Getting and setting one is ENOSYS. */
export const listxattr = operation(fuseGetxattrIn, (_server: TreeServer, call, input) => {
  if (input.size > 0) return 0;
  call.output(fuseGetxattrOut);
  return fuseGetxattrOut.size;
});
