import { setTimeout as sleep } from 'node:timers/promises';
import type { Freed } from '../ram-file/give-back.ts';
import { manifest } from '../sys/manifest.ts';
import { quote } from '../text/quote.ts';
import type { ModuleContents, Waiting } from './control/messages.ts';
import type { Answers, Input } from './control/server.ts';
import type { House } from './house.ts';
import type { Loaded } from './modules/loaded.ts';
import { checkPlace } from './place.ts';
import type { Served } from './served.ts';
import type { Teardown } from './teardown.ts';

/** How often progress is told, in milliseconds. */
const INTERVAL = 100;

/** How often it is said that something goes on of which nobody knows how far it is, in milliseconds. */
const HEARTBEAT = 1000;

/** What the daemon of these mounts answers: see control/messages.ts. */
export function answers(house: House): Answers {
  const named = ({ mount }: Input): Served => {
    const found = house.mounts.findLast(({ device }) => device === mount);
    if (found === undefined) throw new Error(`its daemon has no mount ${quote(String(mount))}`);
    return found;
  };
  return {
    async hello() {
      return {
        version: manifest().version,
        pid: process.pid,
        mounts: house.mounts.map(({ device = '', plan, mount: { dir, connected }, since }) => ({
          device,
          dir,
          transport: plan.transport,
          io: plan.files.at(0)?.io ?? 'direct',
          maxSize: plan.files.reduce((sum, { maxSize }) => sum + maxSize, 0),
          secret: plan.secret,
          since: since.toISOString(),
          connected,
        })),
      };
    },

    async contents(input) {
      const { modules } = named(input);
      return { user: process.geteuid?.() ?? 0, modules: modules.map(contentsOf) };
    },

    async *load({ module, specifier, from, parameters, place, ...input }, _gone, uid) {
      const served = named(input);
      const own = process.geteuid?.();
      if (uid !== own) {
        throw new Error(
          `its daemon has the rights of user ${own}, and only that user may have code run with them; load it as that user`,
        );
      }
      if (served.plan.secret)
        throw new Error('it is a secret, which no other code may come near; load it elsewhere');
      checkPlace(place);
      const order = {
        ...{ module: String(module), specifier: String(specifier), from: String(from) },
        parameters: Array.isArray(parameters) ? parameters.map(String) : [],
      };
      const loaded = served.load(order);
      yield* waiting(loaded);
      const { id, entries } = await loaded;
      return { id, entries, pid: process.pid };
    },

    async *unload({ module, ...input }) {
      const served = named(input);
      const { id } = served.module(String(module));
      if (served.modules.length === 1) return { isLast: true };
      yield* finish(served.unload(id));
      return { isLast: false };
    },

    async set({ module, parameter, value, ...input }) {
      const loaded = named(input).module(String(module));
      return { value: loaded.set(String(parameter), String(value)) };
    },

    async *teardown(input) {
      yield* finish(named(input).teardown);
      return { taken: true };
    },

    async *unmounted({ lazy, wait, ...input }) {
      const { mount, plan, teardown } = named(input);
      const elsewhere = mount.connected;
      if (elsewhere && (lazy === true || !plan.secret)) return { elsewhere };
      if (wait === false) void teardown.inSteps();
      else yield* finish(teardown);
      return { elsewhere };
    },
  };
}

function contentsOf({ id, module, parameters, entries, ram }: Loaded): ModuleContents {
  const { name, description, author, license } = module;
  return {
    ...{ id, name, description, author, license, entries },
    parameters: Object.entries(module.parameters).map(([parameter, declared]) => ({
      name: parameter,
      type: declared.type,
      value: parameters[parameter] ?? declared.default,
      description: declared.description,
      writable: declared.writable ?? false,
    })),
    ram,
  };
}

/** Says that it goes on for as long as it does, which may be long. */
async function* waiting(work: Promise<unknown>): AsyncGenerator<Waiting, void, undefined> {
  const done = work.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([done, sleep(HEARTBEAT, false, { ref: false })]))) yield {};
}

/** Begins the teardown, or joins it, and tells how far it is. It goes on when nobody listens any more. */
async function* finish(teardown: Teardown): AsyncGenerator<Freed, void, undefined> {
  const finished = teardown.inSteps().then(() => true);
  // Its end is waited for in any case: see serve.ts.
  finished.catch(() => {});
  while (!(await Promise.race([finished, sleep(INTERVAL, false, { ref: false })]))) yield teardown.freed;
}
