import { Command } from 'commander';
import { Daemon } from '../daemon/control/client.ts';
import { NoAnswer } from '../daemon/control/exchange.ts';
import { ownPlace } from '../daemon/place.ts';
import { findDirectory } from '../mount/directory.ts';
import { MountError } from '../mount/mount-error.ts';
import { oneLine } from '../text/one-line.ts';
import { quote } from '../text/quote.ts';
import { type Asked, orFailure, ourMountOn } from './ask.ts';
import { addLists } from './help.ts';
import { MODULE_HELP, whichModule } from './module-word.ts';
import { mountOn } from './mount.ts';
import { addFlags, type Flags } from './option.ts';
import { loadRows } from './options.ts';
import { loadedSentence } from './terminal.ts';

export const loadCommand = new Command('load')
  .summary('load a module into a directory')
  .description(
    'Loads a module into a directory, which is mounted for it unless it is already. The kernel has modprobe for its modules.',
  )
  .argument('<module>', MODULE_HELP)
  .argument('<dir>', 'the directory')
  .argument('[parameter...]', 'its parameters, as in count=3')
  .action(run);
addFlags(loadCommand, loadRows);
addLists(loadCommand, {
  'Examples:': [
    ['ramproc load ./greeter.mjs /tmp/my whom=you', 'mounts /tmp/my with what the module makes in it'],
    ['ramproc load rust_proc_ram_file /tmp/my max_size=1G', 'another one, beside it'],
    ['ramproc unload greeter /tmp/my', 'only the first'],
  ],
});

async function run(
  word: string,
  dir: string,
  parameters: string[],
  { options, foreground = false, json = false, ...flags }: Flags<typeof loadRows>,
): Promise<void> {
  const failure = `Cannot load ${quote(word)} into ${quote(dir)}`;
  const order = { ...whichModule(word, failure), parameters };
  const there = await orFailure(failure, () => daemonThere(dir));
  if (there === undefined) {
    await mountOn(dir, { ...options, ...flags, modules: [order] }, { foreground, json });
    return;
  }
  const [said] = Object.keys({ ...options, ...flags, ...(foreground ? { foreground } : {}) });
  if (said !== undefined) {
    throw new MountError(
      `${failure}: it is mounted already, which no option for mounting changes any more; leave those away.`,
    );
  }
  const input = { ...order, place: ownPlace() };
  const { id, entries, pid } = await orFailure(failure, () => there.daemon.ask('load', input));
  const told = { dir: there.mount.dir, modules: [{ id, entries }], pid };
  console.log(json ? oneLine(JSON.stringify(told)) : loadedSentence(told));
}

/** The daemon that has mounted the directory, if one has: a mount of another program's is refused later, and a dead one replaced. */
async function daemonThere(dir: string): Promise<Asked | undefined> {
  const found = await findDirectory(dir).catch(() => undefined);
  const mount = found && ourMountOn(found);
  if (mount === undefined) return undefined;
  try {
    return { mount, daemon: await Daemon.of(mount) };
  } catch (error) {
    if (error instanceof NoAnswer && error.kind !== 'silent' && error.kind !== 'refused') return undefined;
    throw error;
  }
}
