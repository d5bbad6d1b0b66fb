import { Command } from 'commander';
import { importModule } from '../daemon/modules/import.ts';
import type { Parameter } from '../proc-fs/module/parameters.ts';
import { oneLine } from '../text/one-line.ts';
import { quote } from '../text/quote.ts';
import { orFailure } from './ask.ts';
import { addLists } from './help.ts';
import { MODULE_HELP, whichModule } from './module-word.ts';
import { addFlags, type Flags } from './option.ts';
import { infoRows } from './options.ts';

export const infoCommand = new Command('info')
  .summary('show what a module is, and its parameters')
  .description(
    'Shows what a module says of itself, and what it can be told. The kernel has modinfo for its modules.',
  )
  .argument('<module>', MODULE_HELP)
  .action(run);
addFlags(infoCommand, infoRows);
addLists(infoCommand, {
  'Examples:': [['ramproc info rust_proc_ram_file', 'the module that "ramproc mount" loads']],
});

async function run(word: string, { json = false }: Flags<typeof infoRows>): Promise<void> {
  const failure = `Cannot tell of ${quote(word)}`;
  const which = whichModule(word, failure);
  const { module, file } = await orFailure(failure, () => importModule(which));
  const { name, description, author, license, parameters } = module;
  if (json) console.log(oneLine(JSON.stringify({ file, name, description, author, license, parameters })));
  else {
    const lines = Object.entries({ filename: file ?? '(built in)', name, description, author, license });
    const parms = Object.entries(parameters).map(
      ([parm, declared]) => ['parm', `${parm}:${about(declared)}`] as const,
    );
    for (const [what, text] of [...lines, ...parms]) {
      if (text !== '') console.log(`${`${what}:`.padEnd(16)}${oneLine(text)}`);
    }
  }
}

function about(declared: Parameter): string {
  const facts = [range(declared), `default ${JSON.stringify(declared.default)}`];
  if (declared.writable) facts.push('writable');
  return `${declared.description} (${facts.join(', ')})`;
}

function range(declared: Parameter): string {
  if (declared.type !== 'number') return declared.type;
  const { min, max } = declared;
  return [
    'number',
    ...(min === undefined ? [] : [`from ${min}`]),
    ...(max === undefined ? [] : [`to ${max}`]),
  ].join(' ');
}
