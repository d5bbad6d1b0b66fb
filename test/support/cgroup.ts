import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './hanging.ts';

/** Where the hierarchies of control groups (version 1) are mounted. */
const ROOT = '/sys/fs/cgroup';

/** A control group of its own. Disposing it removes it, for which its processes must have ended. */
export class Cgroup implements AsyncDisposable {
  readonly dir: string;

  /** Throws when this machine has no such controller, or has it in version 2 only, where groups can't be nested freely. */
  constructor(controller: 'memory' | 'pids', parent?: Cgroup) {
    if (parent === undefined) this.dir = mkdtempSync(join(ROOT, controller, 'ramproc-test-'));
    else {
      this.dir = join(parent.dir, 'inner');
      mkdirSync(this.dir);
    }
  }

  set(name: string, value: number): void {
    writeFileSync(join(this.dir, name), String(value));
  }

  get(name: string): string {
    return readFileSync(join(this.dir, name), 'utf8').trim();
  }

  /** Moves a process, with all its threads, into the group. What it starts from then on is in it too. */
  add(pid: number): void {
    this.set('cgroup.procs', pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A process leaves its group a moment after its end was seen.
    await until(() => this.get('cgroup.procs') === '', `There are processes in ${this.dir} still.`);
    rmdirSync(this.dir);
  }
}
