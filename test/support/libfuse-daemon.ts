import { setTimeout as sleep } from 'node:timers/promises';
import { ProcDirEntry } from '../../src/proc-fs/entries/entry.ts';
import { procCreate, procMkdir } from '../../src/proc-fs/entries/proc-create.ts';
import { ProcOps } from '../../src/proc-fs/proc-ops.ts';
import { LibfuseMount } from '../../src/transport/libfuse/libfuse-mount.ts';

/** What the test tells this process. */
export type Order = { readonly order: 'answer' | 'remove' | 'unmount' | 'exit' };

/**
 * Serves a tree over libfuse on the directory that its arguments name, and says `mounted`, or why not. The rest of the
 * arguments are words of mount(8). Ends by itself when it is unmounted.
 */
const [, , dir = '', ...words] = process.argv;
const say = (message: string) => process.send?.(message);

const text = Buffer.from('hello\n');
const root = ProcDirEntry.root();
const below = procMkdir('below', 0o755, root);

let answer = () => {};
const toldToAnswer = new Promise<void>((told) => {
  answer = told;
});

/** Behind its first byte, tells when it is read, and answers when it is told to. Seekable. */
procCreate(
  'late',
  0o444,
  root,
  new ProcOps({
    async read(_file, to, offset) {
      if (offset > 0) {
        say('read');
        await toldToAnswer;
      }
      to.write(text);
      return text.length;
    },
    lseek: (_file, offset) => offset,
  }),
);

/** Tells when it is opened and released, and can't seek. */
const told = procCreate(
  'told',
  0o444,
  below,
  new ProcOps({
    open: async ({ uid }) => {
      await sleep(10);
      say(`open by ${uid}`);
    },
    release: () => {
      say('release');
    },
    read(_file, to) {
      to.write(text);
      return text.length;
    },
  }),
);

try {
  const session = await LibfuseMount.mount(root, dir, { words });
  process.on('message', ({ order }: Order) => {
    if (order === 'answer') answer();
    else if (order === 'remove') told[Symbol.dispose]();
    else if (order === 'unmount') session.unmount(false);
    else process.exit(3);
  });
  // The channel alone must not keep the process.
  process.channel?.unref();
  session.closed.then(() => say('closed'));
  say('mounted');
} catch (error) {
  say(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}
