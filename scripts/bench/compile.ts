import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output } from './command.ts';

/** The programs in C that the bench uses, compiled. */
export interface Programs {
  readonly ramfs: string;
  readonly openClose: string;
  readonly append: string;
}

/** Compiles them into `dir`. Throws the compiler's last words. */
export async function compile(dir: string): Promise<Programs> {
  const flags = (await output('pkg-config', '--cflags', '--libs', 'fuse3')).trim().split(/\s+/);
  return {
    ramfs: await compileOne(dir, 'peers/ramfs', flags),
    openClose: await compileOne(dir, 'clients/open-close', []),
    append: await compileOne(dir, 'clients/append', []),
  };
}

async function compileOne(dir: string, name: string, flags: readonly string[]): Promise<string> {
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
  const program = join(dir, name.replace(/^.*\//, ''));
  await output('gcc', '-O2', '-Wall', source, ...flags, '-o', program);
  return program;
}
