import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { MountError } from '../mount/mount-error.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { addLists } from './help.ts';
import { newProject } from './new-project.ts';
import { UsageError } from './usage-error.ts';

export const newCommand = new Command('new')
  .summary('write a project for a module of your own')
  .description('Writes a directory with a module in it that can be loaded, and a test for it.')
  .argument('<name>', "the module's name, and the directory's")
  .action(run);
addLists(newCommand, {
  'Examples:': [
    ['ramproc new greeter', 'writes greeter/'],
    ['cd greeter && npm install && npm test', 'runs its test'],
    ['npx ramproc load ./greeter.ts /tmp/my whom=you', 'loads it'],
  ],
});

function run(name: string): void {
  if (!/^[a-z][a-z0-9_-]*$/.test(name) || name.length > 200) {
    throw new UsageError(
      `Cannot use ${quote(name)}: It must be of small letters, digits, "_" and "-", and begin with a letter.`,
    );
  }
  // One that is there already is somebody's.
  write(name, () => mkdirSync(name));
  try {
    for (const [file, text] of Object.entries(newProject(name))) {
      write(name, () => writeFileSync(join(name, file), text, { flag: 'wx' }));
    }
  } catch (error) {
    rmSync(name, { recursive: true });
    throw error;
  }
  console.log(
    `${name}/ has a module and its test. Next: cd ${name} && npm install && npm test; then load it with "npx ramproc load ./${name}.ts DIR".`,
  );
}

function write(name: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const why = reason(error, 'choose another name, or a directory that you may write');
    throw new MountError(`Cannot write ${quote(`${name}/`)}: ${why}.`, { cause: error });
  }
}
