import { spawn } from 'node:child_process';
import { MountError } from '../mount/mount-error.ts';
import { reason } from '../text/reason.ts';
import { openLog } from './log.ts';
import type { Plan } from './plan.ts';
import { dropPrivileges, FOR_MEMORY } from './privileges.ts';
import type { Mounted, Starter } from './serve.ts';
import { titleOf } from './title.ts';

/** What a daemon tells the command that started it, over Node's IPC channel. */
export type Report =
  | { readonly kind: 'progress'; readonly bytes: number; readonly total: number | undefined }
  | { readonly kind: 'notice'; readonly message: string }
  | { readonly kind: 'mounted'; readonly mounted: Mounted }
  | { readonly kind: 'failed'; readonly message: string };

/**
 * Idle, a daemon takes 78 MB with these and 85 without. Node's start-up snapshot saves 45 ms of a mount's 425 and costs
 * 4 MB; room for garbage, which serving makes little of, and a malloc arena for each thread cost another 2 or 3.
 */
const SMALL = {
  parameters: ['--no-node-snapshot', '--max-semi-space-size=1'],
  environment: { MALLOC_ARENA_MAX: '1' },
};

/**
 * Starts this same command again as a daemon, in a session of its own and with `--foreground`, and waits until it has
 * mounted. Throws the sentence with which it failed. The daemon ends with this process, as long as it hasn't mounted.
 *
 * Without a `log` the daemon's messages go nowhere.
 */
export function startInBackground(
  dir: string,
  plan: Plan,
  { progress, notice }: Pick<Starter, 'progress' | 'notice'>,
): Promise<Mounted> {
  const [node, script = '', command = '', ...parameters] = process.argv;
  const { from, log } = plan;
  const messages = log === undefined ? 'ignore' : openLog(log);
  dropPrivileges(plan, FOR_MEMORY);
  const daemon = spawn(
    node ?? process.execPath,
    [...SMALL.parameters, ...process.execArgv, script, command, '--foreground', ...parameters],
    {
      detached: true,
      // As long as the title that it will give itself, which has no more room than the arguments.
      argv0: titleOf(dir),
      env: { ...SMALL.environment, ...process.env },
      stdio: [from === undefined ? 'ignore' : 'inherit', 'ignore', messages, 'ipc'],
    },
  );
  return new Promise((mounted, failed) => {
    let failure: MountError | undefined;
    daemon.on('message', (report: Report) => {
      if (report.kind === 'progress') {
        progress(report.bytes, report.total);
        return;
      }
      if (report.kind === 'notice') {
        notice(report.message);
        return;
      }
      daemon.disconnect();
      if (report.kind === 'mounted') {
        daemon.unref();
        mounted(report.mounted);
      } else {
        // Told once the daemon has ended: a command that failed leaves nothing behind.
        failure = new MountError(report.message);
      }
    });
    daemon.on('error', (error) => {
      failed(
        new MountError(`Cannot start the daemon: ${reason(error, 'raise "ulimit -u"')}.`, { cause: error }),
      );
    });
    daemon.on('exit', (code, signal) => {
      const how = signal === null ? `with status ${code}` : `by ${signal}`;
      failed(
        failure ??
          new Error(`The daemon ended ${how} before it had mounted; run it with --foreground to see why.`),
      );
    });
  });
}

/** The daemon's end of the channel, or undefined when nobody started this process as a daemon. */
export function parent(): ((report: Report) => void) | undefined {
  if (process.send === undefined) return undefined;
  // In the midst of mounting, a signal waits until there is something to unmount: see EndOnSignal.
  const giveUp = () => process.kill(process.pid, 'SIGTERM');
  process.on('disconnect', giveUp);
  return (report) => {
    if (report.kind === 'mounted') {
      process.off('disconnect', giveUp);
      // The working directory would keep its file system busy for as long as the daemon lives.
      process.chdir('/');
    }
    if (process.connected) process.send?.(report);
  };
}
