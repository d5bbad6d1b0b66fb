import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../support/answer.ts';
import { calls } from '../support/calls/index.ts';
import { Engine } from '../support/engine.ts';
import { type Mount, mount } from '../support/mount.ts';
import { Tmpfs } from '../support/tmpfs.ts';
import { hasUring } from '../support/uring.ts';
import type { Case, Difference } from './case.ts';
import { cases } from './cases/index.ts';
import { cached, type Differences, fuse, libfuse, passthrough, uring } from './differences.ts';
import { shared as sharedDifferences, spread as spreadDifferences } from './differences-shared.ts';

/** A file to play cases on. Disposing it takes it away. */
export interface Place extends AsyncDisposable {
  readonly dir: string;
  readonly file: string;
  /** Where the command mounted it, if it did. */
  readonly mount?: Mount;
  /** The same file in several mounts, on which calls are made in turn. */
  readonly files?: readonly string[];
  /** Makes the file as a case finds it. */
  reset(): void;
}

/** Throws when the file can't be used any more. */
function reset(file: string): void {
  must(calls.truncate(file, 0));
  must(calls.chmod(file, 0o666));
  must(calls.chown(file, 0, 0));
}

/** Something that has a file to play cases on. */
export interface Target {
  readonly name: string;
  /** Which cases are played on it. */
  takes(of: Case): boolean;
  /** The difference that is known of a case. */
  difference(of: Case): Difference | undefined;
  /** A new file with room for `maxSize` bytes. */
  make(maxSize: number): Promise<Place>;
}

const names = new Set(cases.map(({ name }) => name));

function checkNames(name: string, differences: Differences): void {
  const unknown = Object.keys(differences).filter((of) => !names.has(of));
  if (unknown.length > 0) throw new Error(`Differences of ${name} are of no case: ${unknown.join('; ')}`);
}

/** What `ramproc mount` makes with some options. Throws when a difference is of no case. */
function mounted(name: string, options: string[], differences: Differences): Target {
  checkNames(name, differences);
  return {
    name,
    takes: () => true,
    difference: (of) => differences[of.name],
    async make(maxSize) {
      const made = await mount(['--allow-other', '--max-size', String(maxSize), ...options]);
      return {
        dir: made.dir,
        file: made.file,
        mount: made,
        reset: () => reset(made.file),
        [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
      };
    },
  };
}

/** One engine for all files of a run, which ends with this process. */
let engine: Promise<Engine> | undefined;
let keys = 0;

/** A file in an engine, in as many mounts as said. */
function shared(name: string, count: number, options: string[], differences: Differences): Target {
  checkNames(name, differences);
  return {
    name,
    // With several mounts, the end of one is the end of nothing.
    takes: ({ endsMount = false }) => count === 1 || !endsMount,
    difference: (of) => differences[of.name],
    async make(maxSize) {
      engine ??= Engine.start();
      const key = `file-${++keys}`;
      const common = ['--allow-other', '--on', (await engine).url, '--key', key, ...options];
      const all: Mount[] = [];
      for (let i = 0; i < count; i++) {
        all.push(await mount([...common, ...(i === 0 ? ['--max-size', String(maxSize)] : [])]));
      }
      const [made] = all;
      if (made === undefined) throw new Error('There must be a mount.');
      return {
        dir: made.dir,
        file: made.file,
        mount: made,
        ...(count === 1 ? {} : { files: all.map(({ file }) => file) }),
        reset: () => reset(made.file),
        async [Symbol.asyncDispose]() {
          for (const one of all) await one[Symbol.asyncDispose]();
        },
      };
    },
  };
}

/** What targets share, taken away. */
export async function endTargets(): Promise<void> {
  await (await engine)?.[Symbol.asyncDispose]();
  engine = undefined;
}

/** The oracle for what a file does. */
const tmpfs: Target = {
  name: 'tmpfs',
  takes: ({ oracle = 'tmpfs' }) => oracle === 'tmpfs',
  difference: (of) => of.tmpfs,
  async make(maxSize) {
    const made = new Tmpfs(maxSize);
    const file = join(made.dir, 'rust-proc-file');
    writeFileSync(file, '');
    return {
      dir: made.dir,
      file,
      reset: () => reset(file),
      [Symbol.asyncDispose]: async () => made[Symbol.dispose](),
    };
  },
};

/** The oracle for what a directory does: it has files, and no client can change that. */
const proc: Target = {
  name: '/proc',
  takes: ({ oracle }) => oracle === '/proc',
  difference: () => undefined,
  make: async () => ({
    dir: '/proc',
    file: '/proc/version',
    reset: () => {},
    [Symbol.asyncDispose]: async () => {},
  }),
};

export const targets: readonly Target[] = [
  mounted('direct', [], fuse),
  ...(hasUring ? [mounted('uring', ['--channel', 'uring'], uring)] : []),
  mounted('cached', ['--io', 'cached'], cached),
  mounted('passthrough', ['--io', 'passthrough'], passthrough),
  mounted('libfuse', ['--transport', 'libfuse'], libfuse),
  shared('shared', 1, [], sharedDifferences),
  shared('shared, three mounts', 3, [], spreadDifferences),
  tmpfs,
  proc,
];
