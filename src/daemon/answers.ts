import { setTimeout as sleep } from 'node:timers/promises';
import type { Freed } from '../ram-file/give-back.ts';
import { manifest } from '../sys/manifest.ts';
import { message } from '../text/message.ts';
import { quote } from '../text/quote.ts';
import { openFiles } from '../transport/statistics.ts';
import type { Joined, ModuleContents, Waiting } from './control/messages.ts';
import type { Answers, Input } from './control/server.ts';
import { handOver } from './hand-over.ts';
import type { House, Starter } from './house.ts';
import type { Loaded } from './modules/loaded.ts';
import { checkPlace } from './place.ts';
import type { Plan } from './plan.ts';
import { remount } from './remount.ts';
import type { Served } from './served.ts';
import type { Teardown } from './teardown.ts';
import { traceFilter, tracing } from './tracing.ts';

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
  /** The same, once workers serve it: what is done here may wait for the mount itself. */
  const staffed = async (input: Input): Promise<Served> => {
    const served = named(input);
    await served.mounted?.hire?.();
    return served;
  };
  return {
    async hello() {
      return {
        version: manifest().version,
        pid: process.pid,
        joinable: house.joinable,
        mounts: house.mounts.map(({ device = '', plan, files, mount: { dir, connected }, since }) => ({
          device,
          dir,
          transport: plan.transport,
          channel: plan.channel,
          io: plan.files.at(0)?.io ?? 'direct',
          maxSize: files.reduce((sum, { maxSize }) => sum + maxSize, 0),
          secret: plan.secret,
          since: since.toISOString(),
          connected,
        })),
      };
    },

    async contents(input) {
      const { modules } = named(input);
      return { user: process.geteuid?.() ?? 0, modules: await Promise.all(modules.map(contentsOf)) };
    },

    async *join({ dir, plan, place }, gone, uid) {
      checkUser(uid, 'have it serve their directories; leave out --join');
      checkPlace(place);
      if (!house.joinable) throw new Error('it serves no other directory');
      const notices: string[] = [];
      const joined = new Promise<Joined>((answer) => {
        const starter: Starter = {
          progress() {},
          notice: (text) => void notices.push(text),
          async mounted(mounted) {
            // Who asked will say so. Nobody else knows of it.
            if (gone.aborted) throw new Error('nobody knows of it');
            answer({ mounted });
          },
        };
        house
          .mount(String(dir), plan as Plan, starter)
          .catch((error: unknown) => answer({ failed: message(error) }));
      });
      for await (const _ of waiting(joined)) for (const notice of notices.splice(0)) yield { notice };
      for (const notice of notices) yield { notice };
      return await joined;
    },

    async stats(input) {
      const { mount, modules, plan, since } = named(input);
      const states = await Promise.all(modules.map((one) => one.state()));
      const files = states.flatMap(({ ram }) => ram ?? []);
      const counted = mount.statistics();
      return {
        ...counted,
        version: manifest().version,
        pid: process.pid,
        since: since.toISOString(),
        transport: plan.transport,
        channel: plan.channel,
        io: [...new Set(files.map(({ io }) => io))],
        used: files.reduce((sum, { used }) => sum + used, 0),
        most: files.reduce((sum, { most }) => sum + most, 0),
        resident: process.memoryUsage.rss(),
        open: openFiles(counted.operations),
        engine: states.find(({ engine }) => engine !== undefined)?.engine,
      };
    },

    async *trace({ filter, ...input }) {
      yield* tracing(named(input).mount, traceFilter(filter));
      return {};
    },

    async *load({ module, specifier, from, parameters, place, ...input }, _gone, uid) {
      const served = await staffed(input);
      checkUser(uid, 'have code run with them; load it as that user');
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
      const teardown = served.unload(id);
      yield* finish(teardown);
      if (teardown.last.trouble !== undefined) throw new Error(`it is unloaded. ${teardown.last.trouble}`);
      return { isLast: false };
    },

    async set({ module, parameter, value, ...input }) {
      const loaded = (await staffed(input)).module(String(module));
      return { value: await loaded.set(String(parameter), String(value)) };
    },

    async remount({ settings, readsMoveAtime, dry, ...input }) {
      return remount(await staffed(input), {
        settings: Object(settings),
        readsMoveAtime: typeof readsMoveAtime === 'boolean' ? readsMoveAtime : undefined,
        dry: dry === true,
      });
    },

    async save({ file, copy, to, ...input }, _gone, uid) {
      const name = file === undefined ? undefined : String(file);
      return handOver(
        await staffed(input),
        { file: name, copy: copy === true },
        to === undefined ? to : String(to),
        uid,
      );
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
      return { elsewhere, unsaved: teardown.last.trouble };
    },
  };
}

async function contentsOf(loaded: Loaded): Promise<ModuleContents> {
  const { id, module, parameters, entries } = loaded;
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
    ...(await loaded.state()),
  };
}

/** What is for the daemon's own user alone, not even for root. Throws the last part of a sentence. */
function checkUser(uid: number, what: string): void {
  const own = process.geteuid?.();
  if (uid !== own)
    throw new Error(`its daemon has the rights of user ${own}, and only that user may ${what}`);
}

/** Says that it goes on for as long as it does, which may be long. */
async function* waiting(work: Promise<unknown>): AsyncGenerator<Waiting, void, undefined> {
  const done = work.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([done, sleep(HEARTBEAT, false, { ref: false })]))) yield {};
}

/** Begins the teardown, or joins it, and tells how far it is, up to its end or what is in its way. It goes on when nobody listens any more. */
async function* finish(teardown: Teardown): AsyncGenerator<Freed, void, undefined> {
  const finished = teardown.inSteps().then(() => true);
  // Its end is waited for in any case: see serve.ts.
  finished.catch(() => {});
  while (!(await Promise.race([finished, sleep(INTERVAL, false, { ref: false })]))) {
    if (teardown.last.trouble !== undefined) return;
    yield teardown.freed;
  }
}
