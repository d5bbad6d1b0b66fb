import { readFileSync } from 'node:fs';
import { Argument, Command } from 'commander';
import { ownPath } from '../sys/own-module.ts';
import { addLists } from './help.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;

export const completionCommand = new Command('completion')
  .summary('print what completes command lines in a shell')
  .description(
    'Prints a script by which a shell completes command lines of ramproc. The script runs nothing of Node.js.',
  )
  .addArgument(new Argument('<shell>', 'the shell').choices(shells))
  .action((shell: string) => {
    // Written when the package was built: see scripts/manual.ts.
    process.stdout.write(readFileSync(ownPath(`dist/completion/${shell}`), 'utf8'));
  });
addLists(completionCommand, {
  'Examples:': [
    ['eval "$(ramproc completion bash)"', 'in ~/.bashrc'],
    ['eval "$(ramproc completion zsh)"', 'in ~/.zshrc, behind compinit'],
    ['ramproc completion fish | source', 'in ~/.config/fish/config.fish'],
    ['ramproc completion bash >/etc/bash_completion.d/ramproc', 'for all users, and without Node.js'],
  ],
});
