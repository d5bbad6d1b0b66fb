import { mount, ProcDirEntry, ProcOps, procCreate } from '../../../src/index.ts';

/** A file in a Buffer on the event loop of this process, mounted on the directory that its first parameter names. */
const [, , dir = ''] = process.argv;
const bytes = Buffer.alloc(64 << 20, 'x');
const root = ProcDirEntry.root();
procCreate(
  'file',
  0o666,
  root,
  new ProcOps(
    {
      read: async (_file, to, offset) => to.write(bytes.subarray(offset, offset + to.length)),
      write: async (_file, from, offset) => from.read(bytes.subarray(offset, offset + from.length)),
      lseek: (_file, offset) => offset,
      getattr: () => ({
        ...{ mode: 0o666, uid: 0, gid: 0, size: bytes.length, blocks: bytes.length / 512, blksize: 4096 },
        ...{ atime: { sec: 0, nsec: 0 }, mtime: { sec: 0, nsec: 0 }, ctime: { sec: 0, nsec: 0 } },
      }),
    },
    { parallelWrites: true },
  ),
);
const mounted = await mount(root, dir);
process.send?.('mounted');
await mounted.closed;
