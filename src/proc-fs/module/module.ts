import { quote } from '../../text/quote.ts';
import type { ProcDirEntry } from '../entries/entry.ts';
import type { MaybePromise } from '../handler.ts';
import { checkDeclarations, type ParameterDeclarations, type ParameterValues } from './parameters.ts';

/**
 * What a module gets when it is loaded.
 *
 * @example
 * ```ts
 * function init({ root, parameters, log }: ModuleContext<typeof declared>) {
 *   log(`for ${parameters.whom}`);
 *   return procCreateSingle('hello', 0o444, root, () => `hello ${parameters.whom}\n`);
 * }
 * ```
 */
export interface ModuleContext<P extends ParameterDeclarations> {
  /** The directory that it is loaded into. What it adds there goes when it is unloaded, whether it removes it or not. */
  readonly root: ProcDirEntry;
  /** Its parameters. One that is declared `writable` has its new value here as soon as `ramproc set` has set it. */
  readonly parameters: Readonly<ParameterValues<P>>;
  /** Says something for the log, in one line. The kernel's pr_info. */
  log(message: string): void;
}

/**
 * What a module says of itself, and does: the kernel's `module!`, module_init and module_param.
 *
 * @example
 * ```ts
 * const nothing: ModuleDefinition<{}> = { name: 'nothing', init: () => undefined };
 * ```
 */
export interface ModuleDefinition<P extends ParameterDeclarations> {
  /** What it is loaded and unloaded by: letters, digits, `_` and `-`, beginning with a letter. */
  readonly name: string;
  /** Default: nobody. */
  readonly author?: string | undefined;
  /** What it is for, in one line. Default: nothing. */
  readonly description?: string | undefined;
  /** Such as `MIT`. Default: none. */
  readonly license?: string | undefined;
  /** What can be set when it is loaded. Default: nothing. */
  readonly parameters?: P | undefined;
  /**
   * Makes the module's files. Called before anybody sees the directory, or, in one that is mounted already, with each file seen from
   * when it was made on. When it throws, what it made goes, and the module isn't loaded.
   *
   * @returns What is disposed when the module is unloaded; its files are gone by then. The kernel's module_exit. An open file keeps
   * its handler until it is closed: what that needs must still answer, such as with an Errno.
   */
  init(context: ModuleContext<P>): MaybePromise<Disposable | undefined>;
}

/**
 * A module, for `ramproc load`.
 *
 * @example
 * ```ts
 * const module: Module = defineModule({ name: 'nothing', init: () => undefined });
 * ```
 */
export interface Module<P extends ParameterDeclarations = ParameterDeclarations> extends ModuleDefinition<P> {
  /** Who wrote it, or ''. */
  readonly author: string;
  /** What it is for, or ''. */
  readonly description: string;
  /** Such as `MIT`, or ''. */
  readonly license: string;
  /** What can be set when it is loaded. */
  readonly parameters: P;
}

/** The same in every copy of this package: which one a module was made with is no matter. */
const MODULE = Symbol.for('ramproc.module');

/**
 * Defines a module: files that `ramproc load` puts into a directory, and `ramproc unload` takes away again. To be the default
 * export of a file or package.
 *
 * Throws a TypeError for a name that none can have, or a parameter whose default is not of its type or out of its range.
 *
 * @example
 * ```ts
 * export default defineModule({
 *   name: 'greeter',
 *   description: 'says hello',
 *   license: 'MIT',
 *   parameters: { whom: { type: 'string', default: 'world', description: 'who is greeted', writable: true } },
 *   init({ root, parameters, log }) {
 *     log('hello');
 *     return procCreateSingle('hello', 0o444, root, () => `hello ${parameters.whom}\n`);
 *   },
 * });
 * ```
 */
export function defineModule<const P extends ParameterDeclarations = Readonly<Record<never, never>>>(
  definition: ModuleDefinition<P>,
): Module<P> {
  const { name, author = '', description = '', license = '', parameters = {} as P, init } = definition;
  if (typeof name !== 'string' || !/^[A-Za-z][\w-]*$/.test(name)) {
    throw new TypeError(
      `A module can't be called ${quote(String(name))}: its name must be of letters, digits, "_" and "-".`,
    );
  }
  if (typeof init !== 'function') throw new TypeError(`Module ${name} has no function "init".`);
  checkDeclarations(name, parameters);
  return Object.freeze({
    ...{ name, author, description, license, parameters },
    init: (context: ModuleContext<P>) => init.call(definition, context),
    [MODULE]: true,
  });
}

/** Whether defineModule made it. @internal */
export function isModule(value: unknown): value is Module {
  return typeof value === 'object' && value !== null && MODULE in value;
}
