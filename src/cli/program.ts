import { Command } from 'commander';
import { manifest } from '../sys/manifest.ts';
import { commandNamed, commands } from './commands.ts';
import { addLists } from './help.ts';

/**
 * The command with all its commands: what the command line, --help, the manual page and the completions are made of. With the one alone
 * that `word` names, if it names one.
 */
export async function makeProgram(word?: string): Promise<Command> {
  const program = new Command('ramproc').description(manifest().description).version(manifest().version);
  const named = commandNamed(word);
  for (const name of named === undefined ? Object.keys(commands) : [named]) {
    const { alias, isHidden = false, load } = commands[name] ?? {};
    const command = await load?.();
    if (alias !== undefined) command?.alias(alias);
    if (command !== undefined) program.addCommand(command, { hidden: isHidden });
  }
  return addLists(program, {
    'Examples:': [
      ['ramproc mount /tmp/ram', 'a file in RAM, in /tmp/ram'],
      ['ramproc list', 'all that is mounted'],
      ['ramproc unmount /tmp/ram', 'its memory is given back'],
    ],
  });
}
