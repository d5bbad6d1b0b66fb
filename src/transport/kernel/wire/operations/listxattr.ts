import { fuseGetxattrIn, fuseGetxattrOut } from '../../../../abi/structs.ts';
import { onMount } from '../operation.ts';
import type { TreeInodes } from '../tree-inodes.ts';

/** There are none, as in /proc: an empty list, or for a size of 0 its length. Getting and setting one is ENOSYS. */
export const listxattr = onMount(fuseGetxattrIn, (call, { size }, _inodes: TreeInodes) => {
  if (size > 0) return 0;
  call.output(fuseGetxattrOut);
  return fuseGetxattrOut.size;
});
