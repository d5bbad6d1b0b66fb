import type { SingleBar } from 'cli-progress';
import type { Progress } from '../daemon/fill.ts';
import { ownRequire } from '../sys/own-module.ts';
import { size } from '../text/size.ts';

/** A bar that shows at once would only flicker for a small file. */
const SHOW_AFTER = 500;

/** How wide a bar is at most, and what stands beside it. */
const WIDTH = 40;
const BESIDE = 'giving back [] 100% 1023.99 MiB, 9999 s left'.length;

/**
 * A progress bar on a terminal's standard error, once it takes long; else nothing. Disposing it ends the line.
 *
 * It changes nothing of the terminal that would have to be given back: cursor and wrapping stay as they are, so that any
 * end of the process is a good one.
 */
export function progressBar(what: string): Disposable & { readonly show: Progress } {
  const started = Date.now();
  let bar: SingleBar | undefined;
  return {
    show(bytes, total) {
      if (!canDraw() || Date.now() - started < SHOW_AFTER) return;
      const payload = { done: size(bytes) };
      if (bar === undefined) {
        bar = makeBar(
          total === undefined ? `${what}: {done}` : `${what} [{bar}] {percentage}% {done}, {eta} s left`,
        );
        bar.start(total ?? 0, bytes, payload);
      }
      bar.update(bytes, payload);
    },
    [Symbol.dispose]: () => bar?.stop(),
  };
}

/** Whether standard error is a terminal that can go back to the beginning of a line. */
function canDraw(): boolean {
  return process.stderr.isTTY && process.env.TERM !== 'dumb';
}

/** The package is loaded when it is needed, which is seldom: it takes 5 ms. */
function makeBar(format: string): SingleBar {
  const { SingleBar, Presets }: typeof import('cli-progress') = ownRequire()('cli-progress');
  const barsize = Math.max(1, Math.min(WIDTH, process.stderr.columns - BESIDE));
  return new SingleBar({ format, barsize, hideCursor: false, linewrap: true, etaBuffer: 100 }, Presets.rect);
}
