/** Two trees on two directories; Ctrl-C, exit and exceptions unmount both: echo exit >mnt/one/end */
import { mkdirSync } from 'node:fs';
import { mount, ProcDirEntry, procCreate, procCreateSingle, simpleWriteToBuffer } from 'ramproc';

const dir = process.argv[2] ?? 'mnt';
for (const name of ['one', 'two']) {
  const root = ProcDirEntry.root();
  procCreateSingle('name', 0o444, root, () => `${name}\n`);
  procCreate('end', 0o200, root, {
    write(_file, from) {
      const how = simpleWriteToBuffer(from).trim();
      setImmediate(() => {
        if (how === 'exit') process.exit(3);
        throw new Error(`${name} was told to end`);
      });
    },
  });
  mkdirSync(`${dir}/${name}`, { recursive: true });
  const mounted = await mount(root, `${dir}/${name}`);
  mounted.closed.then(() => console.log(`${name} is unmounted`));
}
