import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MountInfo } from '../sys/mountinfo.ts';
import { pidfdOpen, withDescriptorOf } from '../sys/pidfd.ts';
import { attempt, processes } from '../sys/processes.ts';
import { hasEnded, isHungUp } from '../sys/watch.ts';

/** Between two looks at a process, in milliseconds. */
const PAUSE = 10;

/** Who serves a mount: a process that has its connection open. As much as can be seen of it without its help. */
export class Server implements Disposable {
  readonly pid: number;
  readonly #device: string;
  readonly #pidfd: number;

  /**
   * Undefined when there is none, or none that this user may look into, or it is in another PID namespace. The number of a mount that is
   * gone is given again while who served it may still have its connection open: such a one is meant only when no other has it.
   */
  static of({ device }: Pick<MountInfo, 'device'>): Server | undefined {
    let former: Server | undefined;
    for (const pid of processes()) {
      if (connectionOf(pid, device) === undefined) continue;
      const pidfd = attempt(() => pidfdOpen(pid));
      if (pidfd === undefined) continue;
      const server = new Server(pid, device, pidfd);
      former?.[Symbol.dispose]();
      if (server.connected !== false) return server;
      former = server;
    }
    return former;
  }

  private constructor(pid: number, device: string, pidfd: number) {
    this.pid = pid;
    this.#device = device;
    this.#pidfd = pidfd;
  }

  get hasEnded(): boolean {
    return hasEnded(this.#pidfd);
  }

  /** Whether it is one of `ramproc mount`, which ends with its mount, and no program that has a mount of its own. */
  get isCommand(): boolean {
    const line = attempt(() => readFileSync(`/proc/${this.pid}/cmdline`, 'latin1')) ?? '';
    const [program, ...words] = line.split('\0');
    const script = words.find((word) => !word.startsWith('-'));
    return [program, script].some((word) => /^([^ ]*\/)?ramproc(\.js)?( |$)/.test(word ?? ''));
  }

  /** Whether it was stopped by a signal, or by a debugger. Source: proc_pid_stat(5). */
  get isStopped(): boolean {
    return /^.*\) [Tt]/s.test(attempt(() => readFileSync(`/proc/${this.pid}/stat`, 'utf8')) ?? '');
  }

  /** Whether the file system is there still, mounted anywhere or in use; undefined when this user may not know. */
  get connected(): boolean | undefined {
    const fd = connectionOf(this.pid, this.#device);
    if (fd === undefined || this.hasEnded) return false;
    return attempt(() => !withDescriptorOf(this.#pidfd, fd, isHungUp));
  }

  /** Waits until it has ended, for as long as `patience` at most, in milliseconds, and not while it is stopped. */
  async end(patience: number): Promise<boolean> {
    for (const late = Date.now() + patience; !this.hasEnded; await sleep(PAUSE)) {
      if (this.isStopped || Date.now() > late) return false;
    }
    return true;
  }

  [Symbol.dispose](): void {
    closeSync(this.#pidfd);
  }
}

/** Whether this process serves it: on such a one it must not wait. */
export function isServedHere({ device }: Pick<MountInfo, 'device'>): boolean {
  return connectionOf('self', device) !== undefined;
}

/** A process's descriptor of a FUSE connection, by what newer kernels tell in fdinfo (fuse_dev_show_fdinfo). */
function connectionOf(pid: number | 'self', device: string): number | undefined {
  const line = `fuse_connection:\t${device.split(':').at(1)}\n`;
  const fd = (attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []).find(
    (name) =>
      // Where its /dev isn't ours, the link shows the path in that.
      attempt(() => readlinkSync(`/proc/${pid}/fd/${name}`))?.endsWith('/fuse') &&
      attempt(() => readFileSync(`/proc/${pid}/fdinfo/${name}`, 'utf8'))?.includes(line),
  );
  return fd === undefined ? undefined : Number(fd);
}
