/** Mounts a directory and reads a file in it: first in a way that would wait for this very thread, then in one that doesn't. */
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { mount, ProcDirEntry, procCreateSingle } from 'ramproc';

const root = ProcDirEntry.root();
procCreateSingle('file', 0o444, root, () => 'read\n');
const mounted = await mount(root, process.argv[2]);
for (const call of [() => readFileSync(`${mounted.dir}/file`), () => statSync(`${mounted.dir}/file`)]) {
  try {
    call();
    console.log('answered');
  } catch ({ errno }) {
    console.log(-errno);
  }
}
console.log(await readFile(`${mounted.dir}/file`, 'utf8'));
await mounted.unmount();
