import { Command } from 'commander';
import { manifest } from '../text/manifest.ts';
import { oneLine } from '../text/one-line.ts';
import { doctorCommand } from './doctor.ts';
import { ExitCode } from './exit-code.ts';
import { fail, failureAsJson, HINT, wantsJson } from './failure.ts';
import { infoCommand } from './info.ts';
import { installHelperCommand } from './install-helper.ts';
import { listCommand } from './list.ts';
import { loadCommand } from './load.ts';
import { mountCommand } from './mount.ts';
import { fromMount, mountHelperCommand } from './mount-helper.ts';
import { setCommand } from './set.ts';
import { unloadCommand } from './unload.ts';
import { unmountCommand } from './unmount.ts';

/** Runs the command line in `argv`, and sets the process's exit status: see ExitCode. */
export async function main(argv: readonly string[]): Promise<void> {
  const json = wantsJson(argv);
  const program = new Command('ramproc')
    .description(manifest.description)
    .version(manifest.version)
    .addCommand(mountCommand)
    .addCommand(unmountCommand)
    .addCommand(listCommand)
    .addCommand(loadCommand)
    .addCommand(unloadCommand)
    .addCommand(infoCommand)
    .addCommand(setCommand)
    .addCommand(doctorCommand)
    .addCommand(installHelperCommand)
    .addCommand(mountHelperCommand, { hidden: true });
  for (const command of [program, ...program.commands]) {
    const failure = command === program ? 'Cannot go on' : `Cannot ${command.name()}`;
    command.showHelpAfterError(HINT).configureOutput({
      outputError(text, write) {
        const words = inOurWords(failure, text);
        write(words);
        if (json && text.startsWith('error: ')) {
          const [why = ''] = words.slice('ramproc: '.length).split('\n');
          console.log(failureAsJson(why, ExitCode.Usage));
        }
      },
    });
  }
  try {
    const names = program.commands.flatMap((command) => [command.name(), ...command.aliases()]);
    await program.parseAsync(fromMount(argv.slice(2), names), { from: 'user' });
  } catch (error) {
    fail(error, json);
  }
}

/** A message of commander's, with a word of the command line in it, and perhaps a guess on a line of its own. */
function inOurWords(failure: string, text: string): string {
  const [, message = text, guess] =
    text.match(/^(?:error: )?(.*?)\.?(?:\n\(Did you mean (.*)\?\))?\n$/s) ?? [];
  const why =
    message.replace('. Expected', ', expected') + (guess === undefined ? '' : `; did you mean ${guess}?`);
  return `${oneLine(`ramproc: ${failure}: ${why}`)}${guess === undefined ? '.' : ''}\n`;
}
