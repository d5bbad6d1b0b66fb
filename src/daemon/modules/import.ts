import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isModule, type Module } from '../../proc-fs/module/module.ts';
import { attempt } from '../../sys/processes.ts';
import { message } from '../../text/message.ts';
import { quote } from '../../text/quote.ts';
import { isSystemError, reason } from '../../text/reason.ts';
import type { ModuleOrder } from '../control/module-order.ts';
import { ramFileModule } from './ram-file.ts';
import { FROM } from './resolve.ts';

/** Those that come with this package. */
const builtIn: readonly Module[] = [ramFileModule];

/** The module of that name that comes with this package. As for modprobe, `-` and `_` are the same. */
export function builtInModule(name: string): Module | undefined {
  return builtIn.find((one) => one.name === name.replaceAll('-', '_'));
}

/** What was imported, and from where. */
export interface Imported {
  readonly module: Module;
  /** Its file; undefined for one that comes with this package. */
  readonly file: string | undefined;
}

/** Imports a module. Throws an Error with the last part of a sentence. */
export async function importModule({
  module: said,
  specifier,
  from,
}: Omit<ModuleOrder, 'parameters'>): Promise<Imported> {
  const own = builtInModule(specifier);
  if (own !== undefined) return { module: own, file: undefined };
  await import('./hook.ts');
  const isFile = specifier.startsWith('file:');
  const name = isFile ? fresh(specifier) : specifier + FROM + from;
  const { default: found } = await imported(name, said, from, isFile);
  if (!isModule(found)) {
    throw new Error('its default export is no module; end it with "export default defineModule({ … })"');
  }
  return { module: found, file: isFile ? fileURLToPath(specifier) : undefined };
}

/** A file that was changed is another one: Node would not read it again. */
function fresh(url: string): string {
  const changed = attempt(() => statSync(new URL(url)).mtimeMs);
  return changed === undefined ? url : `${url}?changed=${changed}`;
}

async function imported(
  name: string,
  said: string,
  from: string,
  isFile: boolean,
): Promise<{ default?: unknown }> {
  try {
    if (/\.[cm]?ts(\?|$)/.test(name) && !('typescript' in process.features && process.features.typescript))
      await useTsx(name);
    return await import(name);
  } catch (error) {
    throw new Error(whyNotImported(error, said, from, isFile), { cause: error });
  }
}

/** Has a package of the module's own project make JavaScript of TypeScript, where Node itself can't. */
async function useTsx(name: string): Promise<void> {
  if (/\.ts(\?|$)/.test(name) && !isEsModule(dirname(fileURLToPath(name)))) {
    throw new Error(
      `Node ${process.version} takes it for CommonJS; say "type": "module" in its package.json, or let its name end in .mts`,
    );
  }
  const tsx = `tsx/esm/api${FROM}${name}`;
  const { register } = await import(tsx).catch((error: unknown) => {
    throw new Error(
      `Node ${process.version} runs no TypeScript by itself, and the module's project has no tsx; say "npm install tsx" there, or take Node 22.18 or newer`,
      { cause: error },
    );
  });
  register();
}

/** Whether the next package.json above says so. Source: "Determining module system" in the documentation of Node. */
function isEsModule(dir: string): boolean {
  const text = attempt(() => readFileSync(join(dir, 'package.json'), 'utf8'));
  if (text !== undefined) return JSON.parse(text).type === 'module';
  return dir !== dirname(dir) && isEsModule(dirname(dir));
}

function whyNotImported(error: unknown, said: string, from: string, isFile: boolean): string {
  if (isSystemError(error)) return reason(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const text = message(error).split('\n').at(0) ?? '';
  if (code === 'ERR_MODULE_NOT_FOUND' && !isFile && text.includes(quote(said).replaceAll('"', "'"))) {
    return `no package of that name is installed for ${quote(fileURLToPath(from))}; install it there, or give the path of a file, such as "./${said}.mjs"`;
  }
  return error instanceof SyntaxError ? `it has a mistake: ${text}` : text;
}
