import { Command } from 'commander';
import { survey } from '../daemon/survey.ts';
import { MountError } from '../mount/mount-error.ts';
import { quote } from '../text/quote.ts';
import { daemonOn, orFailure } from './ask.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { unloadRows } from './options.ts';
import { progressBar } from './progress.ts';
import { unmountAndSay } from './unmount.ts';

export const unloadCommand = new Command('unload')
  .summary('unload a module from a directory')
  .description(
    'Unloads a module: its files go, and then what it holds. With the last one the directory is unmounted. The kernel has rmmod for its modules.',
  )
  .argument('<module>', 'its name, as "ramproc list" shows it')
  .argument('[dir]', 'the directory; needed when several have the module')
  .action(run);
addFlags(unloadCommand, unloadRows);
addLists(unloadCommand, {
  'Examples:': [
    ['ramproc unload greeter', 'where it is loaded, in one directory'],
    ['ramproc unload rust_proc_ram_file#2 /tmp/my', 'the second one of that name'],
  ],
});

async function run(
  name: string,
  dir: string | undefined,
  { json = false, ...flags }: Flags<typeof unloadRows>,
): Promise<void> {
  const where = dir ?? (await directoryOf(name));
  const failure = `Cannot unload ${quote(name)} from ${quote(where)}`;
  const { daemon, mount } = await daemonOn(where, failure);
  const isLast = await orFailure(failure, async () => {
    using bar = progressBar('giving back');
    const answer = await daemon.ask('unload', { module: name }, ({ bytes, total }) => bar.show(bytes, total));
    return answer.isLast;
  });
  if (isLast) await unmountAndSay(mount, { ...flags, json });
  else if (json) console.log(JSON.stringify({ dir: where, status: 'unloaded' }));
}

/** The one directory that has the module. */
async function directoryOf(name: string): Promise<string> {
  const all = (await survey()).filter(
    ({ modules, namespace }) => namespace === undefined && modules?.some(({ id }) => id === name),
  );
  const [one, ...others] = all;
  if (one === undefined) {
    throw new MountError(
      `Cannot unload ${quote(name)}: no directory of yours has a module of that name; "ramproc list" shows what is loaded.`,
    );
  }
  if (others.length === 0) return one.dir;
  const dirs = new Intl.ListFormat('en').format(all.map(({ dir }) => quote(dir)));
  throw new MountError(`Cannot unload ${quote(name)}: ${dirs} have it; say which.`);
}
