import { Engine } from './engine.ts';
import { freePort } from './free-port.ts';
import { until } from './hanging.ts';

const SLOTS = 16_384;

/** An engine of a cluster. */
export interface Node {
  readonly engine: Engine;
  readonly port: number;
  readonly bus: number;
  /** Its name in the cluster. */
  readonly id: string;
}

/** Three engines that share the slots of a cluster, and a replica of the one that has a key's. Disposing it ends them. */
export class Cluster implements AsyncDisposable {
  readonly #nodes: Node[] = [];
  readonly slot: number;

  static async start(key: string): Promise<Cluster> {
    const nodes = [await node(), await node(), await node(), await node()];
    const [first, ...others] = nodes;
    const slot = Number(await first?.engine.cli('CLUSTER', 'KEYSLOT', key));
    const cluster = new Cluster(nodes, slot);
    try {
      for (const [i, { engine }] of cluster.primaries.entries()) {
        await engine.cli('CLUSTER', 'SET-CONFIG-EPOCH', `${i + 1}`);
        const [from, to] = [i, i + 1].map((part) => Math.floor((part * SLOTS) / 3));
        await engine.cli('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${(to ?? 0) - 1}`);
      }
      for (const { port, bus } of others) {
        await first?.engine.cli('CLUSTER', 'MEET', '127.0.0.1', `${port}`, `${bus}`);
      }
      await cluster.#agree();
      await cluster.spare.engine.cli('CLUSTER', 'REPLICATE', (await cluster.owner()).id);
      await until(
        async () => /master_link_status:up/.test(await cluster.spare.engine.cli('INFO', 'replication')),
        'The replica does not come.',
      );
      await cluster.#agree();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(nodes: Node[], slot: number) {
    this.#nodes = nodes;
    this.slot = slot;
  }

  get primaries(): Node[] {
    return this.#nodes.slice(0, 3);
  }

  /** The replica. */
  get spare(): Node {
    return this.#nodes[3] as Node;
  }

  get url(): string {
    return `redis-cluster://${this.primaries.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  /** The node that has the slot, as those say who answer. */
  async owner(): Promise<Node> {
    for (const { engine } of this.#nodes) {
      const nodes = await engine.cli('CLUSTER', 'NODES');
      for (const line of nodes.split('\n')) {
        const [id, , flags = '', , , , , link, ...ranges] = line.split(' ');
        const has = ranges.some((range) => {
          const [from = -1, to = from] = range.split('-').map(Number);
          return from <= this.slot && this.slot <= to;
        });
        const found = this.#nodes.find((one) => one.id === id);
        if (has && /master/.test(flags) && !/fail/.test(flags) && link === 'connected' && found) return found;
      }
    }
    throw new Error(`Nobody has the slot ${this.slot}.`);
  }

  /** Gives the slot to another node, with all its keys, as redis-cli --cluster reshard does. `between` is awaited when those that match `first` are there. */
  async move(to: Node, first = /./, between: () => Promise<void> = async () => {}): Promise<void> {
    const from = await this.owner();
    const slot = String(this.slot);
    await to.engine.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.engine.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    const keysIn = async () =>
      (await from.engine.cli('CLUSTER', 'GETKEYSINSLOT', slot, '1000000')).split('\n').filter(Boolean);
    const give = async (keys: string[]) => {
      const where = ['127.0.0.1', `${to.port}`, '', '0', '60000'];
      const said = await from.engine.cli('MIGRATE', ...where, 'KEYS', ...keys);
      if (!/OK|NOKEY/.test(said)) throw new Error(said);
    };
    await give((await keysIn()).filter((key) => first.test(key)));
    await between();
    for (let keys = await keysIn(); keys.length > 0; keys = await keysIn()) await give(keys);
    for (const { engine } of [to, from, ...this.#nodes]) {
      await engine.cli('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    }
  }

  async #agree(): Promise<void> {
    await until(async () => {
      for (const { engine } of this.#nodes) {
        const info = await engine.cli('CLUSTER', 'INFO');
        if (!/cluster_state:ok/.test(info) || !/cluster_known_nodes:4/.test(info)) return false;
      }
      return true;
    }, 'The cluster does not agree.');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { engine } of this.#nodes) await engine[Symbol.asyncDispose]();
  }
}

async function node(): Promise<Node> {
  const [port, bus] = [await freePort(), await freePort()];
  const engine = await Engine.start(
    `--port ${port} --cluster-port ${bus} --bind 127.0.0.1`,
    '--cluster-enabled yes --cluster-config-file nodes.conf --cluster-node-timeout 2000',
  );
  return { engine, port, bus, id: await engine.cli('CLUSTER', 'MYID') };
}
