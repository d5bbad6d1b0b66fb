import { fileURLToPath } from 'node:url';
import { output } from '../command.ts';
import type { Contender } from './contender.ts';
import { ended, unmount } from './server.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/ramproc.js', import.meta.url));

/** Room for the largest file, in the command's words. */
const MAX_SIZE = '2G';

/** The project itself, by its command, with the options of `ramproc mount` that make the difference. */
export function ramproc(id: string, label: string, ...options: string[]): Contender {
  return {
    id,
    label: `ramproc, ${label}`,
    async mount(dir) {
      const parameters = [COMMAND, 'mount', dir, '--json', '--max-size', MAX_SIZE, ...options];
      const mounted = await output(process.execPath, ...parameters);
      const { file, pid }: { file: string; pid: number } = JSON.parse(mounted);
      return {
        file,
        pid,
        async unmount() {
          unmount(dir);
          await ended(pid);
        },
      };
    },
  };
}
