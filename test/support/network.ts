import { execFileSync } from 'node:child_process';

/** Where the engine is. */
export const ENGINE = '10.77.7.100';

/**
 * An engine's host and some machines, each a network namespace, with a bridge between them. Processes are put into one by nsenter(1),
 * which leaves them the mounts of this one. Disposing it takes it all away.
 */
export class Network implements Disposable {
  readonly #id = `ramproc-${process.pid}`;
  readonly #machines: number;

  constructor(machines: number) {
    this.#machines = machines;
    try {
      this.#make();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  #make(): void {
    const hub = this.#name(0);
    ip('netns', 'add', hub);
    // With an address of its own: else it has the lowest of its ports', which is another when one leaves, and others send to the old one.
    ip('-n', hub, 'link', 'add', 'bridge', 'address', '02:00:00:00:00:01', 'type', 'bridge');
    ip('-n', hub, 'addr', 'add', `${ENGINE}/24`, 'dev', 'bridge');
    for (const link of ['lo', 'bridge']) ip('-n', hub, 'link', 'set', link, 'up');
    for (let i = 1; i <= this.#machines; i++) {
      const name = this.#name(i);
      ip('netns', 'add', name);
      ip('-n', hub, 'link', 'add', `port${i}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
      ip('-n', hub, 'link', 'set', `port${i}`, 'master', 'bridge', 'up');
      ip('-n', name, 'addr', 'add', `10.77.7.${i}/24`, 'dev', 'eth0');
      for (const link of ['lo', 'eth0']) ip('-n', name, 'link', 'set', link, 'up');
    }
  }

  /** What to put before a command so that it runs on a machine, counted from 1; 0 is the engine's host. */
  on(machine: number): [string, ...string[]] {
    return ['nsenter', `--net=/run/netns/${this.#name(machine)}`];
  }

  /** Cuts a machine off, or joins it again. Nobody is told: packets are just gone. */
  cut(machine: number, isCut: boolean): void {
    ip(
      '-n',
      this.#name(0),
      'link',
      'set',
      `port${machine}`,
      isCut ? 'nomaster' : 'master',
      ...(isCut ? [] : ['bridge']),
    );
  }

  #name(machine: number): string {
    return `${this.#id}-${machine}`;
  }

  [Symbol.dispose](): void {
    for (let i = this.#machines; i >= 0; i--) {
      try {
        ip('netns', 'del', this.#name(i));
      } catch {
        // It was never made.
      }
    }
  }
}

function ip(...parameters: string[]): void {
  execFileSync('ip', parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
}
