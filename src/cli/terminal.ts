import type { Mounted, Starter } from '../daemon/serve.ts';
import { oneLine } from '../text/one-line.ts';
import { shellWord } from '../text/shell-word.ts';
import { size } from '../text/size.ts';
import { progressBar } from './progress.ts';

/** Shows who sits at the terminal how a mount goes. */
export function terminal(json: boolean): Starter & Disposable {
  const bar = progressBar('filling');
  return {
    progress: bar.show,
    notice: (message) => console.error(`ramproc: ${message}`),
    async mounted(mounted) {
      bar[Symbol.dispose]();
      console.log(json ? oneLine(JSON.stringify(mounted)) : sentence(mounted));
    },
    [Symbol.dispose]: bar[Symbol.dispose],
  };
}

function sentence({ file, pid, maxSize, dir }: Mounted): string {
  return `${shellWord(file)} is there, for up to ${size(maxSize)}, served by process ${pid}; unmount it with "fusermount -u ${shellWord(dir)}".`;
}
