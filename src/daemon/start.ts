import { type ChildProcess, spawn } from 'node:child_process';
import { MountError } from '../mount/mount-error.ts';
import { keepOnExec } from '../sys/descriptor.ts';
import { Errno } from '../sys/errno.ts';
import { execve } from '../sys/exec.ts';
import { reason } from '../text/reason.ts';
import { EndedBySignal, EndOnSignal } from './end-on-signal.ts';
import type { Mounted, Starter } from './house.ts';
import { openLog } from './log.ts';
import { KEEP, type Order, type Report } from './order.ts';
import { dropPrivileges, FOR_MEMORY } from './privileges.ts';
import { passwordEnvironment } from './shared-password.ts';
import { givenEnvironment } from './surroundings.ts';
import { titleOf } from './title.ts';

/**
 * Node's flags for a daemon, and all that it gets. SIGUSR1 opens Node's debugger, to all users of the machine; Node before
 * 22.14 can't be told not to, but where: on an address that is nobody's (RFC 5737), so that it can't.
 *
 * V8 stops inlining at 920 bytes of bytecode a function, in the middle of the layers: what isn't inlined is called, and its 64-bit
 * numbers are allocated. Nothing but the optimizing compiler reads the limit (npm run bench:layers).
 *
 * Idle, a daemon takes 78 MB with the others and 85 without. Node's start-up snapshot saves 45 ms of a mount's 425 and
 * costs 4 MB; room for garbage, which serving makes little of, and a malloc arena for each thread cost another 2 or 3.
 */
const flags = [
  process.allowedNodeEnvironmentFlags.has('--disable-sigusr1')
    ? '--disable-sigusr1'
    : '--inspect-port=192.0.2.1:9229',
  '--max-inlined-bytecode-size-cumulative=8000',
  '--no-node-snapshot',
  '--max-semi-space-size=1',
];
const environment = { MALLOC_ARENA_MAX: '1' };

/** How a start goes, for who waits for it. */
type Said = Pick<Starter, 'progress' | 'notice'>;

/** Another working directory would keep its file system busy, or be gone, and no thread of Node starts in one that is. */
const START = '/';

/** The program of a daemon process. */
function program(script: string, order: Order) {
  return {
    path: process.execPath,
    // As long as the title that it will give itself, which has no more room than the arguments.
    argv0: titleOf(order.dir),
    parameters: [...flags, script, JSON.stringify(order)],
    environment: {
      ...environment,
      ...givenEnvironment(),
      ...(order.plan.shared === undefined ? {} : passwordEnvironment()),
    },
  };
}

/**
 * Makes this process the daemon: same process, same terminal, but the environment, the flags and the descriptors that a
 * daemon is given. `script` is where a daemon starts; it gets the order.
 */
export function startInForeground(script: string, order: Order): never {
  const { plan } = order;
  const log = plan.log === undefined ? undefined : openLog(plan.log);
  dropPrivileges(plan, FOR_MEMORY);
  for (const fd of [0, 1, 2, ...(log === undefined ? [] : [log])]) keepOnExec(fd);
  process.chdir(START);
  const { path, argv0, parameters, environment } = program(
    script,
    log === undefined ? order : { ...order, log },
  );
  return execve(path, [argv0, ...parameters], environment);
}

/**
 * Starts a daemon in a session of its own, and waits until it has mounted. Throws the sentence with which it failed, or
 * EndedBySignal when this process is told to end before that; the daemon has ended then. Without a `log` its messages go
 * nowhere.
 */
export async function startInBackground(script: string, order: Order, starter: Said): Promise<Mounted> {
  const { plan } = order;
  const messages = plan.log === undefined ? 'ignore' : openLog(plan.log);
  dropPrivileges(plan, FOR_MEMORY);
  const { path, argv0, parameters, environment } = program(script, order);
  // It stays: told to end once the mount is taken over, the command ends as it would have.
  const ending = new EndOnSignal();
  const daemon = spawn(path, parameters, {
    detached: true,
    argv0,
    cwd: START,
    // Else Node would hand that one on by itself.
    env: { ...environment, NODE_V8_COVERAGE: undefined },
    stdio: [plan.from === undefined ? 'ignore' : 'inherit', 'ignore', messages, 'ipc'],
  });
  const ended = new Promise((end) => daemon.once('exit', end).once('error', end));
  try {
    const mounted = await ending.orEnd(mountedBy(daemon, starter));
    await new Promise((sent) => daemon.send(KEEP, sent));
    return mounted;
  } catch (error) {
    if (error instanceof EndedBySignal) {
      // It may be where it doesn't see yet that this process has gone.
      daemon.kill('SIGTERM');
      await ended;
    }
    throw error;
  } finally {
    if (daemon.connected) daemon.disconnect();
    daemon.unref();
  }
}

/** The system call's error that a daemon told of. */
function systemError(code: string | undefined): Errno | undefined {
  return code?.startsWith('E') ? new Errno(code as `E${string}`) : undefined;
}

/** What a daemon has mounted. Throws the sentence with which it failed, once it has ended: then it left nothing behind. */
function mountedBy(daemon: ChildProcess, { progress, notice }: Said): Promise<Mounted> {
  return new Promise((mounted, failed) => {
    let failure: MountError | undefined;
    daemon.on('message', (report: Report) => {
      switch (report.kind) {
        case 'progress':
          progress(report.bytes, report.total);
          break;
        case 'notice':
          notice(report.message);
          break;
        case 'mounted':
          mounted(report.mounted);
          break;
        case 'failed':
          failure = new MountError(report.message, { cause: systemError(report.code) });
          daemon.disconnect();
      }
    });
    daemon.on('error', (error) => {
      failed(new MountError(`Cannot start the daemon: ${reason(error)}.`, { cause: error }));
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
