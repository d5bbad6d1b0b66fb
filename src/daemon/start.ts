import { StringDecoder } from 'node:string_decoder';
import { MountError } from '../mount/mount-error.ts';
import { keepOnExec } from '../sys/descriptor.ts';
import { Errno } from '../sys/errno.ts';
import { execve } from '../sys/exec.ts';
import { read, write } from '../sys/read-write.ts';
import { type Socket, socketpair } from '../sys/socket.ts';
import { endOf, type Program, spawn } from '../sys/spawn.ts';
import { whenReadable } from '../sys/watch.ts';
import { reason } from '../text/reason.ts';
import { LineReader } from './control/messages.ts';
import { EndedBySignal, EndOnSignal } from './end-on-signal.ts';
import type { Mounted, Starter } from './house.ts';
import { openLog } from './log.ts';
import { KEEP, type Order, type Report } from './order.ts';
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

/**
 * For glibc's malloc: an arena for each thread would cost 2 MB, and what is given back in pieces of 64 KiB or more is the kernel's at once. By itself
 * glibc goes on to keep pieces of any size that it has ever seen freed, and what is meant to be memory only once it is written to, such as a bit for
 * each page, is made of those, and is memory: 0.7 MB of each further mount. Source: M_MMAP_THRESHOLD, mallopt(3).
 */
const environment = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '65536' };

/** How a start goes, for who waits for it. */
type Said = Pick<Starter, 'progress' | 'notice'>;

/** Another working directory would keep its file system busy, or be gone, and no thread of Node starts in one that is. */
const START = '/';

/** How much of what a daemon says is read at once, in bytes. */
const PIECE = 64 << 10;

/** The program of a daemon process. */
function program(script: string, order: Order): Omit<Program, 'descriptors'> {
  return {
    path: process.execPath,
    // As long as the title that it will give itself, which has no more room than the arguments.
    parameters: [titleOf(order.dir), flag, script, JSON.stringify(order)],
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
  const { path, parameters, environment } = program(script, log === undefined ? order : { ...order, log });
  return execve(path, parameters, environment);
}

/**
 * Starts a daemon in a session of its own, and waits until it has mounted. Throws the sentence with which it failed, or
 * EndedBySignal when this process is told to end before that; the daemon has ended then. Without a `log` its messages go
 * nowhere.
 */
export async function startInBackground(script: string, order: Order, starter: Said): Promise<Mounted> {
  const { plan } = order;
  const messages = plan.log === undefined ? 'null' : openLog(plan.log);
  dropBeforeStart(plan);
  // It stays: told to end once the mount is taken over, the command ends as it would have.
  const ending = new EndOnSignal();
  const { pid, channel } = begin(program(script, order), plan.from === undefined ? 'null' : 0, messages);
  try {
    const mounted = await ending.orEnd(mountedBy(pid, channel, starter));
    const keep = Buffer.from(KEEP);
    write(channel.fd, keep, keep.length);
    return mounted;
  } catch (error) {
    if (error instanceof EndedBySignal) {
      // It may be where it doesn't see yet that this process has gone.
      process.kill(pid, 'SIGTERM');
      endOf(pid);
    }
    throw error;
  } finally {
    channel[Symbol.dispose]();
  }
}

/** Starts a daemon process, with a socket to this one: see PARENT. */
function begin(
  daemon: Omit<Program, 'descriptors'>,
  input: number | 'null',
  messages: number | 'null',
): { readonly pid: number; readonly channel: Socket } {
  try {
    const [channel, theirs] = socketpair();
    using _theirs = theirs;
    process.chdir(START);
    const pid = spawn({ ...daemon, descriptors: [input, 'null', messages, theirs.fd] });
    return { pid, channel };
  } catch (error) {
    throw new MountError(`Cannot start the daemon: ${reason(error)}.`, { cause: error });
  }
}

/** The system call's error that a daemon told of. */
function systemError(code: string | undefined): Errno | undefined {
  return code?.startsWith('E') ? new Errno(code as `E${string}`) : undefined;
}

/** What a daemon has mounted. Throws the sentence with which it failed, once it has ended: then it left nothing behind. */
function mountedBy(pid: number, channel: Socket, { progress, notice }: Said): Promise<Mounted> {
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
          watch[Symbol.dispose]();
          mounted(report.mounted);
          break;
        case 'failed':
          failure = new MountError(report.message, { cause: systemError(report.code) });
      }
    };
    const lines = new LineReader();
    const decoder = new StringDecoder('utf8');
    const piece = Buffer.allocUnsafe(PIECE);
    const watch = whenReadable(channel.fd, () => {
      const length = read(channel.fd, piece);
      if (length > 0) {
        for (const line of lines.add(decoder.write(piece.subarray(0, length)))) hear(JSON.parse(line));
        return;
      }
      watch[Symbol.dispose]();
      const how = endOf(pid);
      failed(
        failure ??
          new Error(`The daemon ended ${how} before it had mounted; run it with --foreground to see why.`),
      );
    });
  });
}
