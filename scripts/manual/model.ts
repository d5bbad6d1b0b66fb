import type { Argument, Command } from 'commander';
import { type Item, listsOf } from '../../src/cli/help.ts';
import { type Row, rowsOf } from '../../src/cli/option.ts';
import { mountOptionItems } from '../../src/cli/options.ts';

/** What a word of the command line can be: one of some words, or what a shell knows. */
export type Kind =
  | readonly string[]
  | 'file'
  | 'directory'
  | 'mounted'
  | 'user'
  | 'group'
  | 'mount options'
  | 'anything';

export interface Flag {
  readonly short: string | undefined;
  readonly long: string;
  /** The name of its value, such as `<size>`, and what that can be. Undefined: it takes none. */
  readonly value: string | undefined;
  readonly kind: Kind;
  readonly help: string;
  readonly fallback: string | undefined;
}

export interface Word {
  /** Such as `<dir>` or `[dir...]`. */
  readonly shown: string;
  readonly kind: Kind;
  readonly help: string;
  readonly isRepeated: boolean;
}

export interface Described {
  readonly names: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly words: readonly Word[];
  readonly flags: readonly Flag[];
  readonly lists: Readonly<Record<string, readonly Item[]>>;
}

/** The command and all its commands that people are shown. */
export interface Model extends Described {
  readonly version: string;
  readonly commands: readonly Described[];
}

const HELP: Flag = {
  ...{ short: '-h', long: '--help', value: undefined, kind: 'anything', fallback: undefined },
  help: 'print the help',
};

/** Prints what is mounted here, a directory a line. A shell must not evaluate it: anybody can mount on a name like `$(command)`. */
export const MOUNTED = `awk '$3 == "fuse.ramproc" { gsub(/\\\\040/, " ", $2); gsub(/\\\\134/, "\\\\", $2); print $2 }' /proc/self/mounts`;

/** All that there is to say, from the table that the command line itself is read by. */
export function model(program: Command): Model {
  const commands = program.createHelp().visibleCommands(program);
  return {
    ...describe(program),
    flags: [{ ...HELP, short: '-V', long: '--version', help: 'print the version' }, HELP],
    version: program.version() ?? '',
    commands: commands.filter((command) => command.name() !== 'help').map(describe),
  };
}

/** The words that `-o` knows, those with a value as `key=`. */
export function mountOptions(): string[] {
  return mountOptionItems()
    .flatMap(([terms]) => terms.split(', '))
    .filter((term) => !term.includes('…'))
    .map((term) => term.replace(/=<.*>$/, '='));
}

function describe(command: Command): Described {
  return {
    names: [command.name(), ...command.aliases()],
    summary: command.summary() || command.description(),
    description: command.description(),
    words: command.registeredArguments.map((argument) => word(command, argument)),
    flags: [...Object.values(rowsOf(command)).flatMap((row) => flag(row) ?? []), HELP],
    lists: listsOf(command),
  };
}

function word(command: Command, argument: Argument): Word {
  const name = argument.name() + (argument.variadic ? '...' : '');
  return {
    shown: argument.required ? `<${name}>` : `[${name}]`,
    kind: argument.argChoices ?? kindOfWord(command.name(), argument.name()),
    help: argument.description,
    isRepeated: argument.variadic,
  };
}

function kindOfWord(command: string, name: string): Kind {
  if (name === 'dir') return command === 'mount' ? 'directory' : 'mounted';
  const isPath = name === 'file' || (name === 'module' && command !== 'unload');
  return isPath ? 'file' : 'anything';
}

function flag({ flag = '', parse, default: fallback, help, isHidden = false }: Row): Flag | undefined {
  const [, short, long, value] = flag.match(/^(?:(-\w), )?(--[\w-]+)(?: (.*))?$/) ?? [];
  if (long === undefined || isHidden) return undefined;
  return { short, long, value, kind: kindOf(long, value, parse), help, fallback };
}

function kindOf(long: string, value: string | undefined, parse: Row['parse']): Kind {
  if (parse !== undefined && 'choices' in parse) return parse.choices as readonly string[];
  if (long === '--options') return 'mount options';
  switch (value) {
    case '<file>':
    case '<where>':
      return 'file';
    case '<user>':
      return 'user';
    case '<group>':
      return 'group';
    default:
      return 'anything';
  }
}
