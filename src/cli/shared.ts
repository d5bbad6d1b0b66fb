import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { loginOf } from '../daemon/shared-password.ts';
import { MountError } from '../mount/mount-error.ts';
import type { Login } from '../shared-file/client.ts';
import { checkKey } from '../shared-file/key.ts';
import { findStored, loadBytes, removeStored, savedBytes, storedFiles } from '../shared-file/store.ts';
import { message } from '../text/message.ts';
import { oneLine } from '../text/one-line.ts';
import { quote } from '../text/quote.ts';
import { reason } from '../text/reason.ts';
import { size } from '../text/size.ts';
import { columns } from './columns.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { sharedListRows, sharedLoadRows, sharedRemoveRows, sharedSaveRows } from './shared-options.ts';
import { UsageError } from './usage-error.ts';

const list = new Command('list')
  .summary('show the files in an engine, and who has them mounted')
  .action(runList);
const remove = new Command('remove').summary('remove a file from an engine').action(runRemove);
const save = new Command('save')
  .summary('copy a file in an engine to a file here')
  .argument('<file>', 'where to; - is standard output')
  .action(runSave);
const load = new Command('load')
  .summary('copy a file here into an engine, in the place of what its file has')
  .argument('<file>', 'where from; - is standard input')
  .action(runLoad);
addFlags(list, sharedListRows);
addFlags(remove, sharedRemoveRows);
addFlags(save, sharedSaveRows);
addFlags(load, sharedLoadRows);

export const sharedCommand = new Command('shared')
  .summary('look after the files in an engine: list, remove, save, load')
  .description('Looks after the files that "ramproc mount --on URL" keeps in an engine.')
  .addCommand(list)
  .addCommand(remove)
  .addCommand(save)
  .addCommand(load);
addLists(sharedCommand, {
  'Examples:': [
    ['ramproc shared list --on redis://host', 'a table'],
    ['ramproc shared save --on redis://host --key jobs jobs.bin', 'a copy, holes left out'],
    ['ramproc shared remove --on redis://host --key jobs', 'asks when somebody has it mounted'],
  ],
});

/** Where it is. Throws a UsageError or a MountError. */
function loginIn({ on, passwordFile }: { on?: string; passwordFile?: string }): Login {
  if (on === undefined) throw new UsageError('"--on URL" is missing, which says where the engine is.');
  return loginOf(on, passwordFile);
}

function keyIn({ key }: { key?: string }): string {
  if (key === undefined) throw new UsageError('"--key NAME" is missing, which says which file it is.');
  return checkKey(key);
}

/** What went wrong, as a sentence about it. */
async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MountError || /^Cannot /.test(message(error)))
      throw new MountError(message(error), { cause: error });
    throw new MountError(`Cannot ${what}: ${reason(error)}.`, { cause: error });
  }
}

async function runList({ json = false, ...flags }: Flags<typeof sharedListRows>): Promise<void> {
  const login = loginIn(flags);
  const all = await attempt('list the files', () => storedFiles(login));
  if (json) console.log(oneLine(JSON.stringify(all)));
  else if (all.length > 0) {
    const rows = all.map(({ key, size: bytes, used, maxSize, users }) => [
      key,
      size(bytes),
      size(used),
      size(maxSize),
      users.map(({ host, dir }) => `${host}:${dir}`).join(' ') || '-',
    ]);
    console.log(columns(['KEY', 'SIZE', 'USED', 'MOST', 'MOUNTED ON'], rows));
  }
}

async function runRemove({ confirm, ...flags }: Flags<typeof sharedRemoveRows>): Promise<void> {
  const [login, key] = [loginIn(flags), keyIn(flags)];
  await attempt(`remove ${quote(key)}`, async () => {
    const found = await findStored(login, key);
    if (found === undefined)
      throw new Error('there is no such file; "ramproc shared list" says which there are');
    if (found.users.length > 0 && (confirm ?? (await ask(key, found.users.length))) !== key) {
      const who = found.users.map(({ host, dir }) => `${host}:${dir}`).join(', ');
      throw new Error(`it is mounted on ${who}; unmount it there, or add --confirm ${key}`);
    }
    await removeStored(login, key);
  });
}

/** Asks who sits at a terminal for the name of what is to be removed. */
async function ask(key: string, count: number): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(
      `${quote(key)} is mounted ${count} times, and its data will be gone. Its name, to go on: `,
    );
  } finally {
    terminal.close();
  }
}

async function runSave(file: string, flags: Flags<typeof sharedSaveRows>): Promise<void> {
  const [login, key] = [loginIn(flags), keyIn(flags)];
  await attempt(`save ${quote(key)} to ${quote(file)}`, async () => {
    if (file === '-') {
      const out = createWriteStream('', { fd: 1, autoClose: false });
      for await (const { bytes } of savedBytes(login, key)) {
        await new Promise<void>((done, failed) =>
          out.write(bytes, (error) => (error ? failed(error) : done())),
        );
      }
      return;
    }
    await using target = await open(file, 'w');
    let end = 0;
    for await (const { offset, bytes } of savedBytes(login, key)) {
      // Holes stay holes.
      if (bytes.some((byte) => byte !== 0)) await target.write(bytes, 0, bytes.length, offset);
      end = offset + bytes.length;
    }
    await target.truncate(end);
  });
}

async function runLoad(file: string, { maxSize, ...flags }: Flags<typeof sharedLoadRows>): Promise<void> {
  const [login, key] = [loginIn(flags), keyIn(flags)];
  const source = createReadStream(file === '-' ? '' : file, {
    highWaterMark: 1 << 20,
    ...(file === '-' ? { fd: 0 } : {}),
  });
  await attempt(`load ${quote(file)} into ${quote(key)}`, () => loadBytes(login, key, maxSize, source));
}
