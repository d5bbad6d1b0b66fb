import { ProcDirEntry } from '../../proc-fs/entries/entry.ts';
import type { Module } from '../../proc-fs/module/module.ts';
import { declarationOf, parseValue, type Value, type Values } from '../../proc-fs/module/parameters.ts';
import type { Freed } from '../../ram-file/give-back.ts';
import { type FileChange, RustProcRamFile } from '../../ram-file/module.ts';
import type { RamFile } from '../../ram-file/ram-file.ts';
import type { SharedRamFile } from '../../shared-file/module.ts';
import { message } from '../../text/message.ts';
import { quote } from '../../text/quote.ts';
import type { ModuleContents } from '../control/messages.ts';
import { Teardown } from '../teardown.ts';
import { checkChange, whyNotChanged } from './change.ts';
import { changeOf, presentValues } from './ram-file.ts';
import { SharedFile } from './shared-file.ts';

/** A module that is loaded into a directory. */
export class Loaded {
  /** What it is unloaded by: the module's name, and a number behind it when another of that name was loaded before. */
  readonly id: string;
  readonly module: Omit<Module, 'init'>;
  readonly #parameters: Values;
  /** Its files go first, and then what it holds. */
  readonly teardown: Teardown;
  readonly #parts: Set<Disposable>;
  readonly #held: Disposable | undefined;

  private constructor(
    id: string,
    module: Omit<Module, 'init'>,
    parameters: Values,
    parts: Set<Disposable>,
    held: Disposable | undefined,
  ) {
    this.id = id;
    this.module = module;
    this.#parameters = parameters;
    this.#parts = parts;
    this.#held = held;
    this.teardown = new Teardown(this.#tearingDown());
  }

  /**
   * Calls a module's init. Throws what that throws, with nothing left in `root`.
   *
   * `init` is the module's own, or another way to make the same.
   */
  static async load<M extends Module>(
    id: string,
    module: M,
    parameters: Values,
    root: ProcDirEntry,
    init: (root: ProcDirEntry) => ReturnType<M['init']>,
  ): Promise<Loaded> {
    const parts = new Set<Disposable>();
    try {
      const held = await init(root.part((part) => parts.add(part)));
      return new Loaded(id, module, parameters, parts, held ?? undefined);
    } catch (error) {
      removeAll(parts);
      throw error;
    }
  }

  /** Their values now. */
  get parameters(): Readonly<Values> {
    const present = this.#held instanceof RustProcRamFile ? presentValues(this.#held) : {};
    return { ...this.#parameters, ...present };
  }

  /** The RAM file, if it is that module. */
  get file(): RamFile | undefined {
    return this.#held instanceof RustProcRamFile ? this.#held.file : undefined;
  }

  /** The file in an engine, if it is that module. */
  get shared(): SharedRamFile | undefined {
    return this.#held instanceof SharedFile ? this.#held.shared : undefined;
  }

  /** Who reads and writes the bytes of its RAM file, how many bytes of memory those take, and how many they may; and how it is with an engine that has them. */
  async state(): Promise<Pick<ModuleContents, 'ram' | 'engine'>> {
    const io = String(this.#parameters.io);
    if (this.shared !== undefined) {
      const { engine, ...room } = await this.shared.state();
      return { ram: { io, ...room }, engine };
    }
    if (this.file === undefined) return {};
    const { used, max, size } = this.file.pages;
    return { ram: { io, used: used * size, most: max * size } };
  }

  /** The names of what it added to its directory. */
  get entries(): string[] {
    return [...this.#parts].flatMap((part) =>
      part instanceof ProcDirEntry && !part.isRemoved ? part.name : [],
    );
  }

  /** Its file, if clients may find it changed: the RAM file, or the one in an engine. */
  get changeable(): RustProcRamFile | SharedRamFile | undefined {
    if (this.#held instanceof RustProcRamFile) return this.#held;
    return this.shared;
  }

  /** Sets a parameter that may be set while it is loaded, and returns its value. Throws an Error with the last part of a sentence. */
  async set(name: string, text: string): Promise<Value> {
    const declared = declarationOf(this.module.parameters, name);
    if (!declared.writable) {
      throw new Error(
        `${quote(name)} can't be changed while it is loaded; unload it, and load it with another`,
      );
    }
    const value = parseValue(name, declared, text);
    if (this.#held instanceof RustProcRamFile) await this.change(changeOf(name, value));
    this.#parameters[name] = value;
    return this.parameters[name] ?? value;
  }

  /** Changes its file. Throws an Error with the last part of a sentence. */
  async change(change: FileChange): Promise<void> {
    checkChange(this.file, change);
    try {
      await this.changeable?.change(change);
    } catch (error) {
      throw whyNotChanged(this.changeable?.entry.name ?? this.id, error);
    }
  }

  *#tearingDown(): Generator<Freed, void, undefined> {
    removeAll(this.#parts);
    if (this.#held instanceof RustProcRamFile) yield* this.#held.tearingDown();
    else {
      try {
        this.#held?.[Symbol.dispose]();
      } catch (error) {
        console.error(`ramproc: ${this.id} failed at its end: ${message(error)}.`);
      }
    }
  }
}

/** What was made last goes first. */
function removeAll(parts: Set<Disposable>): void {
  for (const part of [...parts].reverse()) part[Symbol.dispose]();
}
