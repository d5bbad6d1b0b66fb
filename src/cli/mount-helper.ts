import { spawnSync } from 'node:child_process';
import { Command } from 'commander';
import { MountError } from '../mount/mount-error.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { ExitCode } from './exit-code.ts';
import { mountOn } from './mount.ts';
import { addFlags, type Flags, type Rows } from './option.ts';
import { parseMountOptions } from './options.ts';

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
