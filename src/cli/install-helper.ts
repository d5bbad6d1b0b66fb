import { readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { FSTYPE } from '../mount/options.ts';
import { attempt } from '../sys/processes.ts';
import { reason } from '../text/reason.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { installHelperRows } from './options.ts';

/** What mount(8) runs for a mount of ours. Source: "EXTERNAL HELPERS" in mount(8). */
export const HELPER = `/sbin/mount.${FSTYPE}`;

/** A line of each helper of ours, by which it is told from somebody else's. */
const MARK = '# Written by "ramproc install-helper", and removed by "ramproc install-helper --remove".';

export const installHelperCommand = new Command('install-helper')
  .summary('teach mount(8) and fstab the type fuse.ramproc')
  .description(
    `Writes ${HELPER}, which mount(8) runs for the type ${FSTYPE}: from then on "mount -t ${FSTYPE} NAME DIR" works, and lines of /etc/fstab, with any name as source. It has the paths of Node and of this command in it: when one moves, say it again.`,
  )
  .action(run);
addFlags(installHelperCommand, installHelperRows);
addLists(installHelperCommand, {
  'Examples:': [
    ['ramproc install-helper', `then, in /etc/fstab: ramproc /mnt/ram ${FSTYPE} max_size=1G,nofail 0 0`],
    ['ramproc install-helper --remove', 'takes it away again'],
  ],
});

function run({ remove = false }: Flags<typeof installHelperRows>): void {
  try {
    const there = attempt(() => readFileSync(HELPER, 'utf8'));
    if (there !== undefined && !there.includes(MARK)) {
      throw new Error('somebody else wrote it; look at it, and remove it yourself');
    }
    if (remove) {
      rmSync(HELPER, { force: true });
      console.log(there === undefined ? `${HELPER} is not there.` : `${HELPER} is removed.`);
    } else {
      writeHelper(script());
      console.log(`${HELPER} is written; "ramproc install-helper --remove" removes it.`);
    }
  } catch (error) {
    const why = reason(error, 'only root may');
    throw new Error(`Cannot ${remove ? 'remove' : 'write'} ${HELPER}: ${why}.`, { cause: error });
  }
}

/** mount(8) runs a helper without PATH, and the command finds Node by it, and its daemon fusermount3. */
function script(): string {
  const [, command = ''] = process.argv;
  const path = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  return `#!/bin/sh
# mount(8) runs this for the type ${FSTYPE}.
${MARK}
PATH=${inQuotes(path)}
export PATH
exec ${inQuotes(realpathSync(command))} mount-helper "$@"
`;
}

function inQuotes(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Whole or not at all: mount(8) may run it meanwhile. */
function writeHelper(text: string): void {
  const beside = `${HELPER}.${process.pid}`;
  try {
    writeFileSync(beside, text, { mode: 0o755, flag: 'wx' });
    renameSync(beside, HELPER);
  } catch (error) {
    attempt(() => rmSync(beside, { force: true }));
    throw error;
  }
}
