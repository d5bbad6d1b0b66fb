import { Command } from 'commander';
import { manifest } from '../sys/manifest.ts';
import { completionCommand } from './completion.ts';
import { doctorCommand } from './doctor.ts';
import { addLists } from './help.ts';
import { infoCommand } from './info.ts';
import { installHelperCommand } from './install-helper.ts';
import { listCommand } from './list.ts';
import { loadCommand } from './load.ts';
import { mountCommand } from './mount.ts';
import { mountHelperCommand } from './mount-helper.ts';
import { newCommand } from './new.ts';
import { remountCommand } from './remount.ts';
import { saveCommand } from './save.ts';
import { setCommand } from './set.ts';
import { sharedCommand } from './shared.ts';
import { statsCommand } from './stats.ts';
import { topCommand } from './top.ts';
import { traceCommand } from './trace.ts';
import { unloadCommand } from './unload.ts';
import { unmountCommand } from './unmount.ts';

/** The command with all its commands: what the command line, --help, the manual page and the completions are made of. */
export function makeProgram(): Command {
  const program = new Command('ramproc')
    .description(manifest().description)
    .version(manifest().version)
    .addCommand(mountCommand)
    .addCommand(remountCommand)
    .addCommand(saveCommand)
    .addCommand(unmountCommand)
    .addCommand(listCommand)
    .addCommand(loadCommand)
    .addCommand(unloadCommand)
    .addCommand(infoCommand)
    .addCommand(setCommand)
    .addCommand(sharedCommand)
    .addCommand(newCommand)
    .addCommand(statsCommand)
    .addCommand(topCommand)
    .addCommand(traceCommand)
    .addCommand(doctorCommand)
    .addCommand(installHelperCommand)
    .addCommand(completionCommand)
    .addCommand(mountHelperCommand, { hidden: true });
  return addLists(program, {
    'Examples:': [
      ['ramproc mount /tmp/ram', 'a file in RAM, in /tmp/ram'],
      ['ramproc list', 'all that is mounted'],
      ['ramproc unmount /tmp/ram', 'its memory is given back'],
    ],
  });
}
