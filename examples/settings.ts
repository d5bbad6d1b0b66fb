/** An object as a tree, live, in both directions: cat mnt/log/level; echo debug >mnt/log/level; echo 1 >mnt/verbose */
import { mount, procCreateSingle, procRoot, procTree } from 'ramproc';

const settings = {
  port: 8080,
  verbose: false,
  log: { level: 'info', files: ['/var/log/a', '/var/log/b'] },
  started: new Date(),
};
procTree(null, settings);

procCreateSingle('json', 0o444, null, () => `${JSON.stringify(settings)}\n`);
await mount(procRoot, process.argv[2] ?? 'mnt');
