import { quote } from '../text/quote.ts';
import { commandNames } from './commands.ts';
import { UsageError } from './usage-error.ts';

/** The command that mount(8) runs by its helper: see install-helper.ts. */
const MOUNT_HELPER = 'mount-helper';

/**
 * A command line of mount(8)'s as one of ours; any other as it is. Where there is no helper of ours, mount(8) runs mount.fuse, and
 * that `ramproc [SOURCE] DIR -o OPTIONS`. Throws a UsageError where the source is the name of a command.
 */
export function fromMount(words: readonly string[]): readonly string[] {
  const [first = ''] = words;
  if (first === MOUNT_HELPER) {
    // Both come first, whatever they look like; commander takes them behind `--`.
    const [, source = '', dir = '', ...rest] = words;
    return [first, ...rest, '--', source, dir];
  }
  const options = words.at(-2) === '-o' ? words.at(-1) : undefined;
  if (options === undefined || words.length > 4 || words.length < 3) return words;
  const [dir = '', source = ''] = words.slice(0, -2).reverse();
  if (!commandNames.includes(first)) return [MOUNT_HELPER, '-o', options, '--', source, dir];
  // No source is what is mounted already.
  if (words.length === 3 || first === 'mount' || first === 'remount') return words;
  throw new UsageError(
    `Cannot mount ${quote(first)} on ${quote(dir)}: a command has this name, and mount.fuse can't say which is meant; run "ramproc install-helper", or choose another name.`,
  );
}
