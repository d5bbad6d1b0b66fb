import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { MountError } from '../mount/mount-error.ts';
import { oneLine } from '../text/one-line.ts';
import { ExitCode } from './exit-code.ts';
import { mountCommand } from './mount.ts';
import { unmountCommand } from './unmount.ts';

const manifest: { version: string; description: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

/** Runs the command line in `argv`, and sets the process's exit status: see ExitCode. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('ramproc')
    .description(manifest.description)
    .version(manifest.version)
    .showHelpAfterError('(add --help for the options)')
    .addCommand(mountCommand)
    .addCommand(unmountCommand);
  for (const command of [program, ...program.commands]) command.configureOutput({ outputError });
  try {
    await program.parseAsync(argv);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(oneLine(`ramproc: ${message}`));
    process.exitCode = error instanceof MountError ? ExitCode.Failure : ExitCode.System;
  }
}

/** A message of commander's, with a word of the command line in it, and perhaps a hint on a line of its own. */
function outputError(text: string, write: (text: string) => void): void {
  const [, message = text, hint = ''] = text.match(/^(.*?)(\n\(Did you mean .*)?\n$/s) ?? [];
  write(`${oneLine(message)}${hint}\n`);
}
