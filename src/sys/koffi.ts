import { existsSync } from 'node:fs';
import type koffi from 'koffi';
import { ownPath, ownRequire } from './own-module.ts';

/** The loader of musl's programs, where there are any, by processor. */
const MUSL = { x64: '/lib/ld-musl-x86_64.so.1', arm64: '/lib/ld-musl-aarch64.so.1' };

/**
 * What `koffi` is in the command, the daemon and its threads (scripts/bundle.ts): its addon, without the package's own way to it. That one takes 7 ms
 * of each start, by four modules, a search of Node's for them, and a look into Node's program for the C library that it runs on. Where this doesn't
 * find the addon, or there is musl, the package does.
 */
export default addon() ?? ownRequire()('koffi');

function addon(): typeof koffi | undefined {
  const { arch } = process;
  if (!(arch in MUSL) || existsSync(MUSL[arch as keyof typeof MUSL])) return undefined;
  const own = ownPath('');
  // As Node looks for it: beside this package, and in each directory above.
  const above = own
    .split('/')
    .map((_, index, names) => [...names.slice(0, names.length - index), 'node_modules'].join('/'));
  const dir = above.find((one) => existsSync(`${one}/koffi/package.json`));
  const loaded = { exports: {} as typeof koffi };
  try {
    // Not joined: `koffi` may be a symbolic link, and the addon's package is beside what it leads to.
    process.dlopen(loaded, `${dir}/koffi/../@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`);
    return loaded.exports;
  } catch {
    return undefined;
  }
}
