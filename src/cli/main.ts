import type { Command } from 'commander';
import { exitAtOnce } from '../sys/exec.ts';
import { oneLine } from '../text/one-line.ts';
import { ExitCode } from './exit-code.ts';
import { fail, failureAsJson, HINT, wantsJson } from './failure.ts';
import { fromMount } from './from-mount.ts';
import { makeProgram } from './program.ts';

/** What a command does whose name doesn't say it. */
const VERBS: Readonly<Record<string, string>> = {
  completion: 'print a completion',
  doctor: 'examine the machine',
  info: 'tell of a module',
  new: 'write a new project',
  'install-helper': 'install the helper',
  'mount-helper': 'mount',
  stats: 'show statistics',
  top: 'show all mounts',
};

/** Runs the command line in `argv`, and sets the process's exit status: see ExitCode. */
export async function main(argv: readonly string[]): Promise<void> {
  const json = wantsJson(argv);
  try {
    const words = fromMount(argv.slice(2));
    const program = await makeProgram(words[0]);
    speak(program, json);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    fail(error, json);
  } finally {
    // Once nothing is left to do. Node takes some milliseconds more, in which a signal would end a command that has done what it was to.
    process.on('exit', (status) => exitAtOnce(status));
  }
}

/** Has all that a command says of a wrong word be in our words. */
function speak(program: Command, json: boolean): void {
  const below = program.commands.flatMap((command) => command.commands);
  for (const command of [program, ...program.commands, ...below]) {
    const failure =
      command === program ? 'Cannot go on' : `Cannot ${VERBS[command.name()] ?? command.name()}`;
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
}

/** A message of commander's, with a word of the command line in it, and perhaps a guess on a line of its own. */
function inOurWords(failure: string, text: string): string {
  const [, message = text, guess] =
    text.match(/^(?:error: )?(.*?)\.?(?:\n\(Did you mean (.*)\?\))?\n$/s) ?? [];
  const why =
    message.replace(/\. (Expected|Allowed)/, (_, word) => `, ${word.toLowerCase()}`) +
    (guess === undefined ? '' : `; did you mean ${guess}?`);
  return `${oneLine(`ramproc: ${failure}: ${why}`)}${guess === undefined ? '.' : ''}\n`;
}
