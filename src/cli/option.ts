import { type Command, Option } from 'commander';
import { message } from '../text/message.ts';
import { quote } from '../text/quote.ts';
import { UsageError } from './usage-error.ts';

/** One thing that a command can be told: a row of the table in options.ts. */
export interface Row<Value = unknown> {
  /** As commander takes it, such as `-n, --name <name>`. None: there is only the key. */
  readonly flag?: string;
  /** What it is called behind `-o`, and what else. None: there is only the flag. */
  readonly keys?: readonly string[];
  /** What the value is, such as `<size>`, where no flag says it. */
  readonly value?: string;
  /**
   * Makes a value of a text, and for a flag that is given again of what was there before. Throws a sentence that says what
   * it must be. None: it takes no value, and is true.
   */
  parse?(text: string, before?: Value): Value;
  /** What holds when nothing is said, for people. */
  readonly default?: string;
  readonly help: string;
  /** Whether help doesn't tell of the flag. */
  readonly isHidden?: boolean;
}

export type Rows = Readonly<Record<string, Row>>;

/** What flags of a table say, by the names of their rows: those that were given. */
export type Flags<R extends Rows> = {
  [Name in keyof R]?: R[Name] extends { parse: (text: string, ...rest: never[]) => infer Value }
    ? Value
    : boolean;
};

const tables = new WeakMap<Command, Rows>();

/** The table whose flags a command takes. */
export function rowsOf(command: Command): Rows {
  return tables.get(command) ?? {};
}

/** Lets a command take the flags of a table. commander's name for a flag must be its row's. */
export function addFlags(command: Command, rows: Rows): Command {
  tables.set(command, rows);
  for (const { flag, parse, default: fallback, help, isHidden = false } of Object.values(rows)) {
    if (flag === undefined) continue;
    const option = new Option(flag, fallback === undefined ? help : `${help} (default: ${fallback})`);
    if (parse !== undefined) {
      option.argParser((text, before) => read(parse, `${option.long} ${text}`, text, before));
    }
    command.addOption(option.hideHelp(isHidden));
  }
  return command;
}

/** The value of a text. Throws a UsageError that has it as it was written. */
export function read<Value>(
  parse: (text: string, before?: Value) => Value,
  written: string,
  text: string,
  before?: Value,
): Value {
  try {
    return parse(text, before);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Cannot use ${quote(written)}: ${message(error)}`, { cause: error });
  }
}
