import { message } from '../../text/message.ts';
import { quote } from '../../text/quote.ts';

/**
 * What every parameter has.
 *
 * @example
 * ```ts
 * const loud = { type: 'boolean', default: false, description: 'in capitals', writable: true } satisfies Parameter;
 * ```
 */
export interface Declaration<Value> {
  /** Its value when nothing else is said. */
  readonly default: Value;
  /** What it is for, in a few words. */
  readonly description: string;
  /** Whether it may be changed while the module is loaded. Default: no. */
  readonly writable?: boolean | undefined;
}

/**
 * A number. It is written as the kernel's are (kstrtol, memparse): in decimal, as `0x1F`, or with K, M, G or T behind it for powers of 1024.
 *
 * @example
 * ```ts
 * const count: NumberParameter = { type: 'number', default: 1, min: 1, max: 9, description: 'how often' };
 * ```
 */
export interface NumberParameter extends Declaration<number> {
  /** Says which kind of parameter it is. */
  readonly type: 'number';
  /** The least that it may be. Default: no bound. */
  readonly min?: number | undefined;
  /** The most that it may be. Default: no bound. */
  readonly max?: number | undefined;
}

/**
 * A text, of any length.
 *
 * @example
 * ```ts
 * const whom: StringParameter = { type: 'string', default: 'world', description: 'who is greeted' };
 * ```
 */
export interface StringParameter extends Declaration<string> {
  /** Says which kind of parameter it is. */
  readonly type: 'string';
}

/**
 * Yes or no. It is written as the kernel's are (kstrtobool): y, yes, true, on, 1; n, no, false, off, 0; the name alone is yes.
 *
 * @example
 * ```ts
 * const loud: BooleanParameter = { type: 'boolean', default: false, description: 'in capitals' };
 * ```
 */
export interface BooleanParameter extends Declaration<boolean> {
  /** Says which kind of parameter it is. */
  readonly type: 'boolean';
}

/**
 * How a parameter is declared.
 *
 * @example
 * ```ts
 * const whom: Parameter = { type: 'string', default: 'world', description: 'who is greeted' };
 * ```
 */
export type Parameter = NumberParameter | StringParameter | BooleanParameter;

/**
 * A module's parameters, by name.
 *
 * @example
 * ```ts
 * const parameters = {
 *   count: { type: 'number', default: 1, description: 'how often' },
 * } satisfies ParameterDeclarations;
 * ```
 */
export type ParameterDeclarations = Readonly<Record<string, Parameter>>;

/**
 * The values of a module's parameters, each of the type that it was declared with.
 *
 * @example
 * ```ts
 * const values: ParameterValues<typeof parameters> = { count: 3 };
 * ```
 */
export type ParameterValues<P extends ParameterDeclarations> = {
  [Name in keyof P]: {
    /** Of a NumberParameter. */
    number: number;
    /** Of a StringParameter. */
    string: string;
    /** Of a BooleanParameter. */
    boolean: boolean;
  }[P[Name]['type']];
};

/** A parameter's value, of any module. @internal */
export type Value = number | string | boolean;

/** Values by name, of any module. @internal */
export type Values = Record<string, Value>;

/** Throws a TypeError with a sentence when declarations are not what they should be. @internal */
export function checkDeclarations(module: string, declarations: ParameterDeclarations): void {
  for (const [name, declared] of Object.entries(declarations)) {
    const wrong = (what: string) =>
      new TypeError(`The parameter ${quote(name)} of module ${module} ${what}.`);
    if (!/^[A-Za-z]\w*$/.test(name)) throw wrong('must have a name of letters, digits and underscores');
    if (!Object.hasOwn(readers, declared.type)) throw wrong('must have the type number, string or boolean');
    if (typeof declared.default !== declared.type) throw wrong(`must have a ${declared.type} as its default`);
    if (typeof declared.description !== 'string') throw wrong('must have a description');
    try {
      checkRange(declared, declared.default);
    } catch (error) {
      throw wrong(`has a default that it may not have: it ${message(error)}`);
    }
  }
}

/**
 * The values of a module's parameters, given as `name=value` each. Throws an Error with the last part of a sentence. @internal
 */
export function parseParameters(declarations: ParameterDeclarations, given: readonly string[]): Values {
  const values: Values = {};
  for (const [name, declared] of Object.entries(declarations)) values[name] = declared.default;
  const seen = new Set<string>();
  for (const word of given) {
    const [, name = word, text] = word.match(/^([^=]*)=(.*)$/s) ?? [];
    const declared = declarationOf(declarations, name);
    if (seen.has(name)) throw new Error(`its parameter ${quote(name)} is given twice; give it once`);
    seen.add(name);
    values[name] = parseValue(name, declared, text);
  }
  return values;
}

/** How a parameter was declared. Throws an Error with the last part of a sentence when it wasn't. @internal */
export function declarationOf(declarations: ParameterDeclarations, name: string): Parameter {
  const declared = Object.hasOwn(declarations, name) ? declarations[name] : undefined;
  if (declared !== undefined) return declared;
  const all = Object.keys(declarations);
  const has = all.length === 0 ? 'it has none' : `it has ${new Intl.ListFormat('en').format(all)}`;
  throw new Error(`it has no parameter ${quote(name)}; ${has}`);
}

/** The value of one text; a boolean's may be missing. Throws an Error with the last part of a sentence. @internal */
export function parseValue(name: string, declared: Parameter, text: string | undefined): Value {
  const said = text === undefined ? name : `${name}=${text}`;
  try {
    const value = readers[declared.type](text);
    checkRange(declared, value);
    return value;
  } catch (error) {
    throw new Error(`${quote(said)} can't be: it ${message(error)}`, { cause: error });
  }
}

/** Each throws what the text should have been. */
const readers: Readonly<Record<Parameter['type'], (text: string | undefined) => Value>> = {
  string(text) {
    if (text === undefined) throw new Error('needs a value');
    return text;
  },
  number(text = '') {
    const [, hex, decimal, unit = ''] =
      text.match(/^(?:([-+]?0x[\da-f]+)|([-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?)([kmgt])?)$/i) ?? [];
    const value = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    const factor = 1024 ** ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase());
    if (!Number.isFinite(value)) throw new Error('must be a number, such as 10, 0.5, 0x1F or 512M');
    return value * factor;
  },
  boolean(text = 'y') {
    const word = text.toLowerCase();
    if (['y', 'yes', 'true', 'on', '1'].includes(word)) return true;
    if (['n', 'no', 'false', 'off', '0'].includes(word)) return false;
    throw new Error('must be y or n');
  },
};

function checkRange(declared: Parameter, value: Value): void {
  if (declared.type !== 'number') return;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = declared;
  if (Number(value) >= min && Number(value) <= max) return;
  if (declared.max === undefined) throw new Error(`must be at least ${min}`);
  throw new Error(declared.min === undefined ? `must be at most ${max}` : `must be from ${min} to ${max}`);
}
