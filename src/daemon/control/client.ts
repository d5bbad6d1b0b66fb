import { existsSync } from 'node:fs';
import type { MountInfo } from '../../sys/mountinfo.ts';
import { inNetworkOf, namesListenedOn, otherNetworks } from '../../sys/network.ts';
import { attempt } from '../../sys/processes.ts';
import { randomText } from '../../sys/random.ts';
import { listenOn, type Socket } from '../../sys/socket.ts';
import { type Address, exchange, NoAnswer, type NoAnswerKind } from './exchange.ts';
import { type Hello, namePrefix, type Question, type Questions } from './messages.ts';

/** How long a daemon may keep silent before it counts as not answering, in milliseconds. */
const PATIENCE = 5000;

/** How often to look for the network namespaces of others, at most. */
const TRIES = 10;

/** Of several failures, which tells most. */
const TELLING: readonly NoAnswerKind[] = ['silent', 'refused', 'unreachable', 'none', 'gone'];

/** The command's end of the control channel: the daemon that serves a mount. See messages.ts. */
export class Daemon {
  readonly hello: Hello;
  readonly #address: Address;
  readonly #mount: MountInfo;
  readonly #patience: number;

  private constructor(hello: Hello, address: Address, mount: MountInfo, patience: number) {
    this.hello = hello;
    this.#address = address;
    this.#mount = mount;
    this.#patience = patience;
  }

  /**
   * Finds the one that serves `mount`, in whatever network namespace it listens. `patience`: how long it may keep silent at
   * this and each later question, in milliseconds. Throws NoAnswer.
   */
  static async of(mount: MountInfo, patience = PATIENCE): Promise<Daemon> {
    const prefix = namePrefix(mount.device);
    const addressesIn = (network: number | undefined) =>
      (attempt(() => namesListenedOn(network ?? 'self', prefix)) ?? []).map((name) => ({ name, network }));
    try {
      return await Daemon.#firstOf(addressesIn(undefined), mount, patience);
    } catch (here) {
      // Anybody can listen on a name like its own here, while it does so elsewhere.
      for (let tries = 1; ; tries++) {
        const elsewhere = otherNetworks().flatMap(addressesIn);
        if (elsewhere.length === 0) throw here;
        try {
          return await Daemon.#firstOf(elsewhere, mount, patience);
        } catch (error) {
          // A process whose namespace was to be entered may have ended, and another be in that.
          if (tries === TRIES || elsewhere.every(({ network }) => existsSync(`/proc/${network}`)))
            throw error;
        }
      }
    }
  }

  /** The first that answers and has the mount: an earlier one of the same number may still give back its memory. */
  static async #firstOf(addresses: Address[], mount: MountInfo, patience: number): Promise<Daemon> {
    const found = new AbortController();
    const asking = { owner: mount.owner, patience, signal: found.signal };
    const daemons = addresses.map(async (address) => {
      const hello = await exchange(address, { question: 'hello', mount: mount.device }, asking);
      if (isOf(hello, mount)) return new Daemon(hello, address, mount, patience);
      throw new NoAnswer('none', 'the process that listens for it serves it no more');
    });
    try {
      return await Promise.any(daemons);
    } catch (error) {
      throw error instanceof AggregateError ? mostTelling(error.errors) : error;
    } finally {
      found.abort();
    }
  }

  /** Listens on a new name where the daemon can connect to it. Throws an Errno. */
  listen(): { readonly name: string; readonly socket: Socket } {
    const { network } = this.#address;
    const name = `ramproc-take/${randomText(16)}`;
    const listen = () => listenOn(name);
    return { name, socket: network === undefined ? listen() : inNetworkOf(network, listen) };
  }

  /** Asks a question about the mount. Throws NoAnswer. */
  async ask<Q extends Question>(
    question: Q,
    input: Questions[Q]['input'],
    progress: (value: Questions[Q]['progress']) => void = () => {},
  ): Promise<Questions[Q]['answer']> {
    // It is the owner's own process or root's, and so is taken to say what messages.ts says.
    const answer = await exchange(
      this.#address,
      { ...input, question, mount: this.#mount.device },
      {
        owner: this.#mount.owner,
        patience: this.#patience,
        progress: (value) => progress(value as Questions[Q]['progress']),
      },
    );
    return answer as Questions[Q]['answer'];
  }
}

function isOf(hello: unknown, { device }: MountInfo): hello is Hello {
  const { mounts } = Object(hello) as Partial<Hello>;
  return Array.isArray(mounts) && mounts.some((mount) => mount.device === device && mount.connected);
}

function mostTelling(errors: readonly unknown[]): unknown {
  const rank = (error: unknown) => (error instanceof NoAnswer ? TELLING.indexOf(error.kind) : -1);
  return (
    errors.toSorted((one, other) => rank(one) - rank(other)).at(0) ??
    new NoAnswer('none', 'no process answers for it')
  );
}
