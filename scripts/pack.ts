import { basename, dirname, join, relative } from 'node:path';
import type { Metafile } from 'esbuild';

/** What was built, in CommonJS: texts by paths, which are as in the metafile. */
type Files = ReadonlyMap<string, string>;

/**
 * Puts the chunks into few files, since Node takes a third of a millisecond to find and load each: those that the same of `programs` load
 * at their start into one, and each of those into a function of its own, called when it is needed. Of each program `programs` has the
 * sources at which it begins. Whatever none of them loads stays as it is, and so do entry points.
 */
export function packed(
  files: Files,
  { outputs }: Metafile,
  programs: Readonly<Record<string, readonly string[]>>,
): Files {
  const loads = Object.entries(programs).map(([name, sources]) => {
    const all = new Set<string>();
    const add = (path: string): void => {
      if (all.has(path)) return;
      all.add(path);
      for (const { path: other, kind, external } of outputs[path]?.imports ?? [])
        if (kind === 'import-statement' && !external) add(other);
    };
    for (const [path, { entryPoint = '' }] of Object.entries(outputs))
      if (sources.includes(entryPoint)) add(path);
    return { name, all };
  });
  const packOf = (path: string): string | undefined => {
    const names = loads.flatMap(({ name, all }) => (all.has(path) ? name : []));
    if (names.length === 0 || !/-[A-Z0-9]{8}\.cjs$/.test(path)) return undefined;
    return join(dirname(path), `of-${names.join('-')}.cjs`);
  };
  const linked = (path: string, text: string, from: string) =>
    text.replaceAll(/\brequire\("(\.[^"]+)"\)/g, (_, said: string) => {
      const target = Object.keys(outputs).find((one) => one === join(dirname(path), said)) ?? '';
      const pack = packOf(target);
      if (pack === undefined) return `require("${pathFrom(from, target)}")`;
      return `require("${pathFrom(from, pack)}")("${basename(target)}")`;
    });
  const results = new Map<string, string>();
  const packs = new Map<string, string[]>();
  for (const [path, text] of files) {
    const pack = packOf(path);
    if (pack === undefined) results.set(path, linked(path, text, path));
    else {
      const body = linked(path, text, pack);
      packs.set(pack, [
        ...(packs.get(pack) ?? []),
        `${JSON.stringify(basename(path))}(module) {\n${body}},\n`,
      ]);
    }
  }
  for (const [path, functions] of packs) results.set(path, HEAD + functions.join('') + TAIL);
  return results;
}

const HEAD = 'const chunks = {\n';
const TAIL = `};
const loaded = new Map();
module.exports = (name) => {
  let module = loaded.get(name);
  if (module === undefined) {
    loaded.set(name, (module = {}));
    chunks[name](module);
  }
  return module.exports;
};
`;

function pathFrom(from: string, to: string): string {
  const path = relative(dirname(from), to);
  return path.startsWith('.') ? path : `./${path}`;
}
