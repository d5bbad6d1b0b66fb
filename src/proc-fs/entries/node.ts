import type { Caller } from '../caller.ts';
import type { MaybePromise, ProcHandler } from '../handler.ts';
import { ProcOps } from '../proc-ops.ts';
import type { DirOps } from './dir-ops.ts';
import { KeptAttributes } from './kept-attributes.ts';

/**
 * What a node is.
 *
 * @example
 * ```ts
 * const { kind }: { kind: NodeKind } = procMkdir('jobs', 0o555, null); // 'directory'
 * ```
 */
export type NodeKind = 'file' | 'directory' | 'symlink';

/**
 * Where a symbolic link leads: always the same, or made for each who asks.
 *
 * @example
 * ```ts
 * const self: LinkTarget = ({ pid }) => String(pid);
 * procSymlink('self', null, self);
 * ```
 */
export type LinkTarget = string | ((caller: Caller) => MaybePromise<string>);

/** What a node is made of, beside its mode. */
interface Content {
  readonly ops?: ProcOps | undefined;
  readonly target?: LinkTarget;
  readonly names?: DirOps | undefined;
  readonly directories?: () => number;
}

/**
 * A file, a directory or a symbolic link without a name and a place: what `procCreate` and its kin give a name, and what a
 * directory's `lookup` finds. It is made by `file`, `dir`, `symlink`, `single`, `seq`, and the values' functions.
 *
 * @example
 * ```ts
 * const status: ProcNode = single(0o444, () => 'running\n');
 * procAdd('status', null, status);
 * ```
 */
export class ProcNode {
  /** What it is. */
  readonly kind: NodeKind;
  /** A file's calls go here. @internal */
  readonly ops: ProcOps | undefined;
  /** Where a symbolic link leads. @internal */
  readonly target: LinkTarget | undefined;
  /** The names in a directory that are looked up. @internal */
  readonly names: DirOps | undefined;
  /** How many directories those are, where that is known. @internal */
  readonly directories: (() => number) | undefined;
  /** Of who has no `getattr`. @internal */
  readonly attributes: KeptAttributes;

  /** @internal */
  constructor(kind: NodeKind, mode: number, { ops, target, names, directories }: Content = {}) {
    this.kind = kind;
    this.ops = ops;
    this.target = target;
    this.names = names;
    this.directories = directories;
    this.attributes = new KeptAttributes(mode);
  }
}

/**
 * A file whose calls go to a handler.
 *
 * @param mode Permission bits, 0 to 0o7777.
 * @param ops What it does; as ProcOps also where and how it runs.
 *
 * @example
 * ```ts
 * dir(0o555, { up: file(0o444, { read: (_file, to, offset) => simpleReadFromBuffer(to, offset, 'yes\n') }) });
 * ```
 */
export function file<P>(mode: number, ops: ProcOps | ProcHandler<P>): ProcNode {
  return new ProcNode('file', mode, { ops: ops instanceof ProcOps ? ops : new ProcOps(ops) });
}

/**
 * A directory.
 *
 * @param mode Permission bits, 0 to 0o7777.
 * @param content Its files by name, as they are when somebody asks, or how they are looked up.
 *
 * @example
 * ```ts
 * const job = dir(0o555, { name: single(0o444, () => 'backup\n'), log: symlink('/var/log/backup') });
 * ```
 */
export function dir(mode: number, content: Readonly<Record<string, ProcNode>> | DirOps): ProcNode {
  return new ProcNode('directory', mode, isDirOps(content) ? { names: content } : contentOf(content));
}

function isDirOps(content: Readonly<Record<string, ProcNode>> | DirOps): content is DirOps {
  return typeof content.lookup === 'function';
}

function contentOf(content: Readonly<Record<string, ProcNode>>): Content {
  return {
    names: {
      lookup: (name) => (Object.hasOwn(content, name) ? content[name] : undefined),
      iterate: () => Object.keys(content),
    },
    directories: () => Object.values(content).filter(({ kind }) => kind === 'directory').length,
  };
}

/**
 * A symbolic link.
 *
 * @param target Where it leads, up to 4095 bytes; a function is asked each time, and may throw an Errno.
 *
 * @example
 * ```ts
 * dir(0o555, { self: symlink(({ pid }) => String(pid)) });
 * ```
 */
export function symlink(target: LinkTarget): ProcNode {
  return new ProcNode('symlink', 0o777, { target });
}
