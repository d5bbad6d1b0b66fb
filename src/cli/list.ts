import { Command } from 'commander';
import { type Surveyed, survey } from '../daemon/survey.ts';
import { engineText } from '../shared-file/status.ts';
import { userName } from '../sys/user-name.ts';
import { oneLine } from '../text/one-line.ts';
import { size } from '../text/size.ts';
import { columns } from './columns.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { listRows } from './options.ts';

export const listCommand = new Command('list')
  .summary('show what is mounted on this machine')
  .description(
    'Shows all that is mounted by ramproc on this machine, as far as you may know of it, and waits for nobody.',
  )
  .action(run);
addFlags(listCommand, listRows);
addLists(listCommand, {
  'States:': [
    ['ok', 'it is served'],
    ['secret', 'it is served, and its data is kept where nobody finds it later'],
    ['not answering', 'its daemon is stopped, or stuck'],
    ['dead', 'its daemon has ended without unmounting it; the next mount on the directory replaces it'],
    ['only in another namespace', 'it is not mounted here, but where some other process is'],
    ['unknown', "it is another user's; only that user and root may know"],
  ],
  'Examples:': [
    ['ramproc list', 'a table'],
    ['ramproc list --json', 'the same and more, for a program'],
  ],
});

async function run({ json = false }: Flags<typeof listRows>): Promise<void> {
  const all = await survey();
  if (json) console.log(oneLine(JSON.stringify(all)));
  else if (all.length > 0) console.log(table(all));
}

/** Engines have a column where there are any. */
function table(all: readonly Surveyed[]): string {
  if (all.every(({ engine }) => engine === undefined)) return columns(HEADING, all.map(row));
  const engineOf = ({ engine }: Surveyed) => (engine === undefined ? NONE : engineText(engine));
  return columns(
    [...HEADING, 'ENGINE'],
    all.map((one) => [...row(one), engineOf(one)]),
  );
}

const HEADING = ['DIRECTORY', 'FILES', 'USED', 'MOST', 'I/O', 'PROCESS', 'USER', 'SINCE', 'MODULES', 'STATE'];

/** What isn't known, or isn't there. */
const NONE = '-';

/** How many names of files and modules are shown. */
const SHOWN = 4;

function row({
  dir,
  modules,
  used,
  most,
  io = NONE,
  pid,
  user,
  since,
  state,
  namespace,
}: Surveyed): string[] {
  const where = namespace === undefined ? '' : ` (process ${namespace.pid})`;
  return [
    dir,
    some(modules?.flatMap(({ entries }) => entries)),
    used === undefined ? NONE : size(used),
    most === undefined ? NONE : size(most),
    io,
    pid === undefined ? NONE : String(pid),
    user === undefined ? NONE : userName(user),
    since === undefined ? NONE : time(new Date(since)),
    some(modules?.map(({ id }) => id)),
    state + where,
  ];
}

function some(names: readonly string[] = []): string {
  if (names.length === 0) return NONE;
  const more = names.length > SHOWN ? [`+${names.length - SHOWN}`] : [];
  return [...names.slice(0, SHOWN), ...more].join(',');
}

/** As ls -l has it, with all digits: in the time zone of who looks. */
function time(at: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
