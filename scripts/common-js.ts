/**
 * Makes CommonJS of an ES module that esbuild wrote, with its lines where they were: esbuild itself doesn't split CommonJS, and would have
 * each name of another file looked up by a getter whenever it is used. What is imported must be there by then: no file of those that
 * esbuild splits imports one that imports it, and none exports what changes (`export let`).
 */
export function asCommonJs(text: string): string {
  const common = text
    .replaceAll(/^import \* as (\w+) from ("[^"]+");$/gm, 'const $1 = require($2);')
    .replaceAll(/^import (\w+) from ("[^"]+");$/gm, 'const $1 = require($2);')
    .replaceAll(/^import ("[^"]+");$/gm, 'require($1);')
    .replaceAll(
      /^import (\{[^}]*\}) from ("[^"]+");$/gm,
      (_, names: string, from) =>
        `const ${names.replaceAll(/(\w+) as (\w+)/g, '$1: $2')} = require(${from});`,
    )
    .replaceAll(/\bimport\(("\.[^"]+")\)/g, 'Promise.resolve().then(() => require($1))')
    .replaceAll(
      /^export (\{[^}]*\});$/gm,
      (_, names: string) => `module.exports = ${names.replaceAll(/(\w+) as (\w+)/g, '$2: $1')};`,
    );
  const left = common.match(/^(?:import\b.*"[^"]+";|export [{*].*)$/m);
  if (left !== null) throw new Error(`asCommonJs doesn't know what to make of: ${left[0]}`);
  return common;
}
