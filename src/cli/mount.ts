import { Command } from 'commander';
import { logTo, openLog } from '../daemon/log.ts';
import type { Starter } from '../daemon/serve.ts';
import { takeSource } from '../daemon/source.ts';
import { parent, startInBackground } from '../daemon/start.ts';
import { MountError } from '../mount/mount-error.ts';
import { closeAllOnExec } from '../sys/descriptor.ts';
import { message } from '../text/message.ts';
import { quote } from '../text/quote.ts';
import { isSystemError, reason } from '../text/reason.ts';
import { addLists } from './help.ts';
import { addFlags, type Flags } from './option.ts';
import { mountOptionItems, mountRows } from './options.ts';
import { terminal } from './terminal.ts';

type Serve = typeof import('../daemon/serve.ts').serve;

export const mountCommand = new Command('mount')
  .summary('mount a directory with a file in it that is backed by RAM alone')
  .description(
    'Mounts a directory like /proc with one file in it, which works like a regular file and is backed by RAM alone.',
  )
  .argument('<dir>', 'the directory to mount on; it must exist and be empty')
  .action(run);
addFlags(mountCommand, mountRows);
addLists(mountCommand, {
  'Options of -o:': mountOptionItems(),
  'Examples:': [
    ['ramproc mount /tmp/ram', 'returns when the file can be used'],
    ['ramproc mount /tmp/ram -n notes -m 0600 -s 512M', 'another name, private, at most 512 MiB'],
    ['ramproc mount /tmp/ram --from big.iso', 'filled before anybody sees it'],
    ['ramproc mount /tmp/ram --allow-other -o ro,noexec', 'for all users, read-only'],
    ['ramproc mount /tmp/ram --foreground', 'stays, logs, ends with Ctrl-C'],
  ],
});

async function run(
  dir: string,
  { options, foreground = false, json = false, ...flags }: Flags<typeof mountRows>,
): Promise<void> {
  closeAllOnExec();
  const toParent = foreground ? parent() : undefined;
  try {
    const { plan } = await import('../daemon/plan.ts');
    const planned = plan({ ...options, ...flags });
    if (toParent !== undefined) {
      await serve(dir, planned, {
        progress: (bytes, total) => toParent({ kind: 'progress', bytes, total }),
        notice: (text) => toParent({ kind: 'notice', message: text }),
        mounted: (mounted) => toParent({ kind: 'mounted', mounted }),
      });
      return;
    }
    using starter = terminal(json);
    if (planned.from !== undefined) takeSource(planned.from);
    if (foreground) await serve(dir, planned, loggingTo(planned.log, starter));
    else starter.mounted(await startInBackground(dir, planned, starter));
  } catch (error) {
    const failure = isSystemError(error) ? cannotMount(dir, error) : error;
    if (toParent === undefined || !process.connected) throw failure;
    toParent({ kind: 'failed', message: message(failure) });
  }
}

/** Who starts a daemon doesn't serve, and would load half of all modules for nothing: 25 ms of 380 until the file is there. */
async function serve(...call: Parameters<Serve>): Promise<void> {
  await (await import('../daemon/serve.ts')).serve(...call);
}

/** What is said until a mount is there goes to the terminal, and the rest to the log, as in the background. */
function loggingTo(log: string | undefined, starter: Starter): Starter {
  if (log === undefined) return starter;
  const fd = openLog(log);
  return {
    ...starter,
    mounted(mounted) {
      starter.mounted(mounted);
      logTo(fd);
    },
  };
}

function cannotMount(dir: string, error: unknown): MountError {
  return new MountError(`Cannot mount on ${quote(dir)}: ${reason(error)}.`, { cause: error });
}
