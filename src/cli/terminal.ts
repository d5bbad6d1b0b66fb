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

/** What is loaded, and how it is unloaded. */
export function loadedSentence({ dir, modules, pid }: Pick<Mounted, 'dir' | 'modules' | 'pid'>): string {
  const sentences = modules.map(({ id, entries }) => {
    const what = entries.length === 0 ? '' : ` (${entries.map(shellWord).join(', ')})`;
    return `${shellWord(id)} is loaded into ${shellWord(dir)}${what}, served by process ${pid}; unload it with "ramproc unload ${shellWord(id)} ${shellWord(dir)}".`;
  });
  return sentences.join('\n');
}

function sentence(mounted: Mounted): string {
  const { files, pid, dir } = mounted;
  if (files.length === 0) return loadedSentence(mounted);
  const unmount = `unmount it with "fusermount -u ${shellWord(dir)}"`;
  const [one, ...others] = files;
  if (one !== undefined && others.length === 0) {
    return `${shellWord(one.file)} is there, for up to ${size(one.maxSize)}, served by process ${pid}; ${unmount}.`;
  }
  const all = files.map(({ file, maxSize }) => `${shellWord(file)} (up to ${size(maxSize)})`);
  return `${new Intl.ListFormat('en').format(all)} are there, served by process ${pid}; ${unmount}.`;
}
