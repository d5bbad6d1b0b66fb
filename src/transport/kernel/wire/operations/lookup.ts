import { fuseBatchForgetIn, fuseEntryOut, fuseForgetIn, fuseForgetOne } from '../../../../abi/structs.ts';
import type { ProcDirEntry } from '../../../../proc-fs/entries/entry.ts';
import { whenThere } from '../../../../proc-fs/later.ts';
import { ENOENT } from '../../../../sys/errno.ts';
import { namesIn } from '../names.ts';
import { nothing } from '../nothing.ts';
import { NO_REPLY, type Operation, onDirectory, onMount } from '../operation.ts';
import type { TreeInodes } from '../tree-inodes.ts';
import { attrValid, encodeAttr, withAttr } from './attr.ts';

/** How long the kernel may believe a name, in seconds: until it is told that the entry is gone. */
const ENTRY_VALID = 3600;

export const lookup: Operation<ProcDirEntry, TreeInodes> = {
  ...onDirectory(nothing, (parent: ProcDirEntry, call, _input, inodes: TreeInodes) => {
    const [name] = namesIn(call, 0);
    if (name === undefined) return -ENOENT;
    return whenThere(parent.lookup(name, call.caller), (entry) => {
      if (entry === undefined) return -ENOENT;
      return withAttr(entry.getattrFound(call.caller), (attr) => {
        const out = call.output(fuseEntryOut);
        out.nodeid = entry.ino;
        out.entry_valid = entry.isLookedUp ? 0 : ENTRY_VALID;
        out.attr_valid = attrValid(entry);
        encodeAttr(out, entry, attr);
        inodes.farEnds?.forget(entry.ino);
        inodes.known(entry);
        return fuseEntryOut.size;
      });
    });
  }),
  /** The shortest name and its NUL. */
  size: 1,
};

export const forget: Operation<ProcDirEntry, TreeInodes> = {
  ...onMount(fuseForgetIn, (call, { nlookup }, inodes: TreeInodes) => {
    inodes.forget(call.header.nodeid, nlookup);
    return NO_REPLY;
  }),
  silent: true,
};

export const batchForget: Operation<ProcDirEntry, TreeInodes> = {
  ...onMount(fuseBatchForgetIn, (call, { count }, inodes: TreeInodes) => {
    const fits = Math.floor((call.bodyLength - fuseBatchForgetIn.size) / fuseForgetOne.size);
    for (let i = 0; i < Math.min(count, fits); i++) {
      const one = call.inputAt(fuseForgetOne, fuseBatchForgetIn.size + i * fuseForgetOne.size);
      inodes.forget(one.nodeid, one.nlookup);
    }
    return NO_REPLY;
  }),
  silent: true,
};
