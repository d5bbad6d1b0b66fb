import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { MountError } from '../mount/mount-error.ts';
import { keepOnExec } from '../sys/descriptor.ts';
import { Errno } from '../sys/errno.ts';
import { execve } from '../sys/exec.ts';
import { reason } from '../text/reason.ts';
import { LineReader } from './control/messages.ts';
import { EndedBySignal, EndOnSignal } from './end-on-signal.ts';
import type { Mounted, Starter } from './house.ts';
import { openLog } from './log.ts';
import { KEEP, type Order, PARENT, type Report } from './order.ts';
import { dropBeforeStart } from './privileges.ts';
import { passwordEnvironment } from './shared-password.ts';
import { givenEnvironment } from './surroundings.ts';
import { titleOf } from './title.ts';

/**
 * Node's flag for a daemon, the only one that it gets. SIGUSR1 opens Node's debugger, to all users of the machine; Node before
 * 22.14 can't be told not to, but where: on an address that is nobody's (RFC 5737), so that it can't. None of V8's: see settle.ts.
 */
const flag = process.allowedNodeEnvironmentFlags.has('--disable-sigusr1')
  ? '--disable-sigusr1'
  : '--inspect-port=192.0.2.1:9229';

/** A malloc arena for each thread would cost 2 MB. */
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
    parameters: [flag, script, JSON.stringify(order)],
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
  dropBeforeStart(plan);
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
  dropBeforeStart(plan);
  const { path, argv0, parameters, environment } = program(script, order);
  // It stays: told to end once the mount is taken over, the command ends as it would have.
  const ending = new EndOnSignal();
  const daemon = spawn(path, parameters, {
    detached: true,
    argv0,
    cwd: START,
    // Else Node would hand that one on by itself.
    env: { ...environment, NODE_V8_COVERAGE: undefined },
    stdio: [plan.from === undefined ? 'ignore' : 'inherit', 'ignore', messages, 'pipe'],
  });
  // None where Node had no descriptors left to start it with.
  const channel = daemon.stdio?.[PARENT] as Socket | undefined;
  channel?.on('error', () => {});
  const ended = new Promise((end) => daemon.once('exit', end).once('error', end));
  try {
    const mounted = await ending.orEnd(mountedBy(daemon, channel, starter));
    await new Promise((sent) => channel?.write(KEEP, sent));
    return mounted;
  } catch (error) {
    if (error instanceof EndedBySignal) {
      // It may be where it doesn't see yet that this process has gone.
      daemon.kill('SIGTERM');
      await ended;
    }
    throw error;
  } finally {
    channel?.destroy();
    daemon.unref();
  }
}

/** The system call's error that a daemon told of. */
function systemError(code: string | undefined): Errno | undefined {
  return code?.startsWith('E') ? new Errno(code as `E${string}`) : undefined;
}

/** What a daemon has mounted. Throws the sentence with which it failed, once it has ended: then it left nothing behind. */
function mountedBy(
  daemon: ChildProcess,
  channel: Socket | undefined,
  { progress, notice }: Said,
): Promise<Mounted> {
  return new Promise((mounted, failed) => {
    let failure: MountError | undefined;
    const hear = (report: Report) => {
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
      }
    };
    const lines = new LineReader();
    channel?.setEncoding('utf8').on('data', (piece: string) => {
      for (const line of lines.add(piece)) hear(JSON.parse(line));
    });
    daemon.on('error', (error) => {
      failed(new MountError(`Cannot start the daemon: ${reason(error)}.`, { cause: error }));
    });
    // When all is read that it said.
    daemon.on('close', (code, signal) => {
      const how = signal === null ? `with status ${code}` : `by ${signal}`;
      failed(
        failure ??
          new Error(`The daemon ended ${how} before it had mounted; run it with --foreground to see why.`),
      );
    });
  });
}
