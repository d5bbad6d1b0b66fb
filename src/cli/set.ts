import { Command } from 'commander';
import type { Contents } from '../daemon/control/messages.ts';
import { MountError } from '../mount/mount-error.ts';
import { oneLine } from '../text/one-line.ts';
import { quote } from '../text/quote.ts';
import { shellWord } from '../text/shell-word.ts';
import { daemonOn, orFailure } from './ask.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { setRows } from './options.ts';
import { UsageError } from './usage-error.ts';

export const setCommand = new Command('set')
  .summary('show or change the parameters of what is loaded')
  .description(
    'Shows the parameters of the modules in a directory, or changes one that may be changed. The kernel has /sys/module for its modules, and sysctl(8) this way to say it.',
  )
  .argument('<dir>', 'the directory')
  .argument(
    '[module.parameter=value...]',
    'what to change; without a value, what to show; none: all is shown',
  )
  .action(run);
addFlags(setCommand, setRows);
addLists(setCommand, {
  'Examples:': [
    ['ramproc set /tmp/my', 'shows all'],
    ['ramproc set /tmp/my greeter.whom', 'shows one'],
    ['ramproc set /tmp/my greeter.whom=you', 'changes it'],
  ],
});

interface Said {
  readonly module: string;
  readonly parameter: string;
  readonly value: string | undefined;
}

async function run(dir: string, words: string[], { json = false }: Flags<typeof setRows>): Promise<void> {
  const said = words.map(parse);
  const failure = `Cannot ${said.some(({ value }) => value !== undefined) ? 'set parameters' : 'show the parameters'} in ${quote(dir)}`;
  const { daemon } = await daemonOn(dir, failure);
  const contents = await orFailure(failure, () => daemon.ask('contents', {}));
  const all = valuesOf(contents);
  const shown: Record<string, unknown> = {};
  for (const { module, parameter, value } of said) {
    const name = `${module}.${parameter}`;
    if (value === undefined) {
      if (!(name in all)) {
        throw new MountError(
          `${failure}: it has no ${quote(name)}; "ramproc set ${shellWord(dir)}" shows what it has.`,
        );
      }
      shown[name] = all[name];
    } else {
      const answer = await orFailure(failure, () => daemon.ask('set', { module, parameter, value }));
      if (json) shown[name] = answer.value;
    }
  }
  const told = said.length === 0 ? all : shown;
  if (json) console.log(oneLine(JSON.stringify(told)));
  else for (const [name, value] of Object.entries(told)) console.log(oneLine(`${name}=${value}`));
}

function valuesOf({ modules }: Contents): Record<string, unknown> {
  return Object.fromEntries(
    modules.flatMap(({ id, parameters }) => parameters.map(({ name, value }) => [`${id}.${name}`, value])),
  );
}

function parse(word: string): Said {
  const [, module, parameter, value] = word.match(/^([^.=]+)\.([^.=]+)(?:=(.*))?$/s) ?? [];
  if (module !== undefined && parameter !== undefined) return { module, parameter, value };
  throw new UsageError(`Cannot use ${quote(word)}: It must be module.parameter=value, or module.parameter.`);
}
