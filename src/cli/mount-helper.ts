import { spawnSync } from 'node:child_process';
import { Command } from 'commander';
import { MountError } from '../mount/mount-error.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { ExitCode } from './exit-code.ts';
import { mountOn } from './mount.ts';
import { addFlags, type Flags, type Rows } from './option.ts';
import { parseMountOptions } from './options.ts';
import { UsageError } from './usage-error.ts';

/** What mount(8) tells a helper. Source: "EXTERNAL HELPERS" in mount(8). */
const rows = {
  sloppy: { flag: '-s, --sloppy', help: 'pass over options that are unknown' },
  fake: { flag: '-f, --fake', help: 'do all but mount' },
  noMtab: { flag: '-n, --no-mtab', help: 'accepted: there is no mtab any more' },
  verbose: { flag: '-v, --verbose', help: 'say that it is mounted' },
  namespace: {
    flag: '-N, --namespace <file>',
    parse: (text: string) => text,
    help: 'the mount namespace to mount in',
  },
  options: { flag: '-o, --options <list>', parse: (text: string) => text, help: 'as for "ramproc mount"' },
  type: {
    flag: '-t, --type <type>',
    parse: (text: string) => text,
    help: 'accepted: there is one type only',
  },
} satisfies Rows;

/** What /sbin/mount.fuse.ramproc runs: see install-helper.ts. */
export const mountHelperCommand = new Command('mount-helper')
  .description('Mounts as mount(8) asks for it.')
  .argument('<source>', 'what /proc/mounts shows as its source')
  .argument('<dir>', 'the directory to mount on')
  .action(run);
addFlags(mountHelperCommand, rows);

/**
 * A command line of mount(8)'s as one of ours; any other as it is. Where there is no helper of ours, mount(8) runs mount.fuse, and
 * that `ramproc [SOURCE] DIR -o OPTIONS`. Throws a UsageError where the source is the name of a command, `names`.
 */
export function fromMount(words: readonly string[], names: readonly string[]): readonly string[] {
  const [first = ''] = words;
  if (first === mountHelperCommand.name()) {
    // Both come first, whatever they look like; commander takes them behind `--`.
    const [, source = '', dir = '', ...rest] = words;
    return [first, ...rest, '--', source, dir];
  }
  const options = words.at(-2) === '-o' ? words.at(-1) : undefined;
  if (options === undefined || words.length > 4 || words.length < 3) return words;
  const [dir = '', source = ''] = words.slice(0, -2).reverse();
  if (!names.includes(first)) return [mountHelperCommand.name(), '-o', options, '--', source, dir];
  // No source is what is mounted already.
  if (words.length === 3 || first === 'mount' || first === 'remount') return words;
  throw new UsageError(
    `Cannot mount ${quote(first)} on ${quote(dir)}: a command has this name, and mount.fuse can't say which is meant; run "ramproc install-helper", or choose another name.`,
  );
}

async function run(
  source: string,
  dir: string,
  { sloppy = false, fake = false, verbose = false, namespace, options = '' }: Flags<typeof rows>,
): Promise<void> {
  if (namespace !== undefined) return runIn(namespace, dir);
  const settings = parseMountOptions(options, {}, sloppy);
  // Of one that is there the kernel doesn't look at the source.
  if (!settings.remount) settings.fsname ??= source;
  await mountOn(dir, settings, { quiet: !verbose, fake });
}

/** Runs the same in another mount namespace, which a process with threads can't enter: setns(2). */
function runIn(namespace: string, dir: string): void {
  const [node = '', ...words] = process.argv;
  const at = words.lastIndexOf('-N');
  words.splice(at, 2);
  const { status, error } = spawnSync('nsenter', [`--mount=${namespace}`, '--', node, ...words], {
    stdio: 'inherit',
  });
  if (error !== undefined) {
    const why = reason(error, 'nsenter is in the package util-linux');
    throw new MountError(`Cannot enter the mount namespace ${quote(namespace)} for ${quote(dir)}: ${why}.`);
  }
  process.exitCode = status ?? ExitCode.System;
}
