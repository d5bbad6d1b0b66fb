import type { Fields, Struct, View } from '../../../../abi/c-struct.ts';
import { fuseBatchForgetIn, fuseEntryOut, fuseForgetIn, fuseForgetOne } from '../../../../abi/structs.ts';
import { ENOENT, ENOTDIR } from '../../../../sys/errno.ts';
import { type Call, REQUEST_HEADER } from '../call.ts';
import { namesIn } from '../names.ts';
import { NO_REPLY, type Operation } from '../operation.ts';
import type { TreeServer } from '../tree-server.ts';
import { attrValid, encodeAttr } from './attr.ts';

/** How long the kernel may believe a name, in seconds: until it is told that the entry is gone. */
const ENTRY_VALID = 3600;

export const lookup: Operation<TreeServer> = {
  size: 1,
  serve(server, call) {
    const parent = server.node(call.header.nodeid);
    if (parent === undefined) return -ENOENT;
    if (!parent.isDirectory) return -ENOTDIR;
    const [name] = namesIn(call);
    const entry = name === undefined ? undefined : parent.child(name);
    if (entry === undefined) return -ENOENT;
    const attr = entry.getattr();
    if (typeof attr === 'number') return attr;
    const out = call.output(fuseEntryOut);
    out.nodeid = entry.ino;
    out.entry_valid = ENTRY_VALID;
    out.attr_valid = attrValid(entry);
    encodeAttr(out, entry, attr);
    server.lookups.add(entry);
    return fuseEntryOut.size;
  },
};

export const forget = silent(fuseForgetIn, (server, call, input) => {
  server.lookups.forget(call.header.nodeid, input.nlookup);
});

export const batchForget = silent(fuseBatchForgetIn, (server, call, input) => {
  const first = REQUEST_HEADER + fuseBatchForgetIn.size;
  const fits = Math.floor((call.header.len - first) / fuseForgetOne.size);
  for (let i = 0; i < Math.min(input.count, fits); i++) {
    const one = call.inputAt(fuseForgetOne, first + i * fuseForgetOne.size);
    server.lookups.forget(one.nodeid, one.nlookup);
  }
});

function silent<F extends Fields>(
  struct: Struct<F>,
  serve: (server: TreeServer, call: Call, input: View<F>) => void,
): Operation<TreeServer> {
  return {
    size: struct.size,
    silent: true,
    serve(server, call) {
      serve(server, call, call.input(struct));
      return NO_REPLY;
    },
  };
}
