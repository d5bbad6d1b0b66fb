import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { run } from '../support/mount.ts';
import { type Consumer, consumer, tool } from './consumer.ts';

/** A program that uses a bit of everything, without anything of Node. */
const PROGRAM = `
import {
  type Caller, dir, Errno, mount, type Mount, procCreate, procCreateSeq, procCreateSingle, procDointvecMinmax, procMkdir,
  ProcOps, procRoot, procSymlink, procTree, RustProcRamFile, single, WaitQueue, Whence,
} from 'ramproc';

const who = ({ uid, signal }: Caller): string => (signal ? String(uid) : '');
const node = single(0o444, who);
const jobs = procMkdir('jobs', 0o555, null, { lookup: (name) => (name === '1' ? dir(0o555, { node }) : undefined) });
procCreateSingle('who', 0o644, jobs, who, (text) => { if (text === '') throw new Errno('EINVAL'); });
procCreateSeq('rows', 0o444, null, function* () { yield 1; yield 2; }, (row) => row.toFixed());
procSymlink('self', null, ({ pid }) => String(pid));
procDointvecMinmax('level', 0o644, null, { value: 1 }, 0, 7);
const queue = new WaitQueue();
const file = procCreate('raw', 0o644, null, new ProcOps({
  open: () => ({ seen: 0 }),
  async read(_file, to, offset, caller) { await queue.waitEvent(() => true, caller); to.write(new Uint8Array(offset)); },
  write: (_file, from) => { const bytes: Uint8Array = from.readAll(); return bytes.length; },
  lseek: (_file, offset, whence) => (whence === Whence.SeekSet ? offset : 0),
}, { cached: true }));
file[Symbol.dispose]();
procTree(null, { a: 1 })[Symbol.dispose]();
RustProcRamFile.init(null, { maxSize: 4096 })[Symbol.dispose]();
export async function start(where: string): Promise<Mount> {
  const mounted = await mount(procRoot, where, { trace: ({ operation, ms }) => operation.length + ms });
  await mounted[Symbol.asyncDispose]();
  return mounted;
}
`;

const common = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
};

/** The ways in which compilers find and check packages. */
const ways = {
  'an ES module': { file: 'program.mts', module: 'nodenext' },
  CommonJS: { file: 'program.cts', module: 'node16' },
  'what a bundler takes': { file: 'program.ts', module: 'esnext', moduleResolution: 'bundler' },
};

/** What else a program may have types of. */
const surroundings = {
  'nothing else': { types: [], lib: ['es2022'] },
  Node: { types: ['node'], lib: ['es2022'] },
  browsers: { types: [], lib: ['es2022', 'dom'] },
};

let project: Consumer;
beforeAll(async () => {
  project = await consumer();
});

describe.for([
  ['the oldest TypeScript', compileByOldest],
  ['the present one', compileByPresent],
] as const)('with %s', ([, compile]) => {
  describe.for(Object.entries(ways))('as %s', ([, { file, ...way }]) => {
    test.for(Object.entries(surroundings))('beside types of %s, its types are right', async ([, known]) => {
      expect(
        await compile(file, { ...common, target: 'es2022', skipLibCheck: false, ...way, ...known }),
      ).toBe('');
    });
  });
});

test('also with the oldest way to look for packages, which present compilers have no more', () => {
  const options = { ...common, target: 'es2022', module: 'commonjs', moduleResolution: 'node10', types: [] };
  expect(compileByOldest('program.ts', { ...options, skipLibCheck: false })).toBe('');
});

/** Writes the program, and how it is to be compiled. Returns where. */
function write(file: string, compilerOptions: object): string {
  const dir = join(project.dir, 'types');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, file), PROGRAM);
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
  return dir;
}

/** What a compiler says of a program. */
async function compileByPresent(file: string, compilerOptions: object): Promise<string> {
  return (await run(tool('tsc'), '-p', write(file, compilerOptions))).stdout;
}

/** What is needed of the interface of TypeScript until 6, as its package has it. */
interface TypeScript {
  readonly sys: object;
  getParsedCommandLineOfConfigFile(
    file: string,
    more: object,
    host: object,
  ): { readonly fileNames: string[]; readonly options: object; readonly errors: object[] };
  createProgram(of: object): object;
  getPreEmitDiagnostics(program: object): object[];
  formatDiagnostics(diagnostics: object[], host: object): string;
}

/** The same. In this process, which is twice as fast from the second time on. */
function compileByOldest(file: string, compilerOptions: object): string {
  const dir = write(file, compilerOptions);
  const ts: TypeScript = createRequire(join(dir, file))('typescript');
  const unusable = (diagnostic: object) => {
    throw new Error(ts.formatDiagnostics([diagnostic], host));
  };
  const host = {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: unusable,
    getCurrentDirectory: () => dir,
    getCanonicalFileName: (name: string) => name,
    getNewLine: () => '\n',
  };
  const config = ts.getParsedCommandLineOfConfigFile(join(dir, 'tsconfig.json'), {}, host);
  const { fileNames: rootNames, options, errors: configFileParsingDiagnostics } = config;
  const program = ts.createProgram({ rootNames, options, configFileParsingDiagnostics });
  return ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host);
}
