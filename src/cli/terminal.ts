import type { Mounted, Starter } from '../daemon/house.ts';
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

function sentence({ files, pid, dir }: Mounted): string {
  const unmount = `unmount it with "fusermount -u ${shellWord(dir)}"`;
  const [one, ...others] = files;
  if (one !== undefined && others.length === 0) {
    return `${shellWord(one.file)} is there, for up to ${size(one.maxSize)}, served by process ${pid}; ${unmount}.`;
  }
  const all = files.map(({ file, maxSize }) => `${shellWord(file)} (up to ${size(maxSize)})`);
  return `${new Intl.ListFormat('en').format(all)} are there, served by process ${pid}; ${unmount}.`;
}
