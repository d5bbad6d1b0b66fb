import { Presets, SingleBar } from 'cli-progress';
import prettyBytes from 'pretty-bytes';
import type { Progress } from '../daemon/fill.ts';

/** A bar that shows at once would only flicker for a small file. */
const SHOW_AFTER = 500;

/** A progress bar on a terminal's standard error, once it takes long; else nothing. Disposing it ends the line. */
export function progressBar(): Disposable & { readonly show: Progress } {
  const started = Date.now();
  let bar: SingleBar | undefined;
  return {
    show(bytes, total) {
      if (!process.stderr.isTTY || Date.now() - started < SHOW_AFTER) return;
      if (bar === undefined) {
        const format =
          total === undefined ? 'filling: {done}' : 'filling [{bar}] {percentage}% {done}, {eta} s left';
        bar = new SingleBar({ format, hideCursor: true, etaBuffer: 100 }, Presets.rect);
        bar.start(total ?? 0, bytes, { done: prettyBytes(bytes, { binary: true }) });
      }
      bar.update(bytes, { done: prettyBytes(bytes, { binary: true }) });
    },
    [Symbol.dispose]: () => bar?.stop(),
  };
}
