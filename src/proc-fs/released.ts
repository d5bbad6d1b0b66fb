import type { ProcFile } from './handler.ts';

const cleanups = new WeakMap<ProcFile, Set<() => void>>();

/** Has `cleanup` called once when an open file is released. Disposing the answer calls it off. */
export function whenReleased(file: ProcFile, cleanup: () => void): Disposable {
  const all = cleanups.get(file) ?? new Set();
  cleanups.set(file, all.add(cleanup));
  return { [Symbol.dispose]: () => all.delete(cleanup) };
}

/** Calls what waits for it. */
export function released(file: ProcFile): void {
  const all = cleanups.get(file);
  cleanups.delete(file);
  for (const cleanup of all ?? []) cleanup();
}
