import { everywhere, type Found } from '../mount/everywhere.ts';
import { commandOf } from '../mount/holders.ts';
import { obstacle } from '../mount/identity.ts';
import { look } from '../mount/look.ts';
import { Server } from '../mount/serving.ts';
import type { EngineStatus } from '../shared-file/status.ts';
import type { MountInfo } from '../sys/mountinfo.ts';
import { Daemon } from './control/client.ts';
import { NoAnswer } from './control/exchange.ts';
import type { Contents } from './control/messages.ts';

/**
 * - `ok`: it is served.
 * - `secret`: the same, and its data is kept where nobody finds it later.
 * - `not answering`: its daemon is stopped, or stuck.
 * - `dead`: its daemon has ended without unmounting it.
 * - `only in another namespace`: it isn't mounted here, but where some other process is.
 * - `unknown`: it is another user's, who alone may know, beside root.
 */
export type State = 'ok' | 'secret' | 'not answering' | 'dead' | 'only in another namespace' | 'unknown';

/** A mount, as far as this user may know of it. */
export interface Surveyed {
  /** Where it is mounted; where it isn't here, in the namespace of `namespace`. */
  readonly dir: string;
  readonly state: State;
  /** Why more isn't known, as the last part of a sentence. */
  readonly reason?: string | undefined;
  /** The user who mounted it, by number. */
  readonly user: number | undefined;
  /** The process that serves it. */
  readonly pid?: number | undefined;
  /** When it was mounted: ISO 8601. */
  readonly since?: string | undefined;
  readonly transport?: string | undefined;
  /** What its requests come by. */
  readonly channel?: string | undefined;
  /** Who reads and writes the bytes of its RAM files. */
  readonly io?: string | undefined;
  /** How many bytes of memory its RAM files take. */
  readonly used?: number | undefined;
  /** How many they may take. */
  readonly most?: number | undefined;
  readonly modules?: Contents['modules'] | undefined;
  /** How it is with the engine that has its file. */
  readonly engine?: EngineStatus | undefined;
  /** A process in whose mount namespace it is, where that isn't this one's. */
  readonly namespace?: { readonly pid: number; readonly command: string } | undefined;
}

/** How long a daemon may keep silent, in milliseconds. */
const PATIENCE = 2000;

/** All mounts of this machine. Hangs on none of them. */
export function survey(): Promise<Surveyed[]> {
  return Promise.all(everywhere().map(surveyOf));
}

async function surveyOf({ mount, pid }: Found): Promise<Surveyed> {
  const { state, ...asked } = await ask(mount);
  const place = { dir: mount.dir, user: mount.owner };
  if (pid === undefined) return { ...place, ...asked, state: state ?? (await seen(mount)) };
  const namespace = { pid, command: commandOf(pid) };
  return { ...place, ...asked, state: 'only in another namespace', namespace };
}

/** What its daemon says. */
async function ask(mount: MountInfo): Promise<Omit<Surveyed, 'dir' | 'user' | 'state'> & { state?: State }> {
  try {
    const daemon = await Daemon.of(mount, PATIENCE);
    const served = daemon.hello.mounts.find(({ device }) => device === mount.device);
    return {
      state: served?.secret ? 'secret' : 'ok',
      pid: daemon.hello.pid,
      since: served?.since,
      transport: served?.transport,
      channel: served?.channel,
      ...(await contentsOf(daemon)),
    };
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    using server = Server.of(mount);
    const about = { pid: server?.pid, reason: error.message };
    if (error.kind === 'silent') return { ...about, state: 'not answering' };
    // It answers, if only that this user may not ask.
    return error.kind === 'refused' ? { ...about, state: 'ok' } : about;
  }
}

/** What is loaded, and what its RAM files have in common. A daemon of an older version doesn't know. */
async function contentsOf(
  daemon: Daemon,
): Promise<Pick<Surveyed, 'io' | 'used' | 'most' | 'modules' | 'engine'>> {
  const contents = await daemon.ask('contents', {}).catch(refused);
  const files = contents?.modules.flatMap(({ ram }) => ram ?? []) ?? [];
  if (files.length === 0) return { modules: contents?.modules };
  return {
    io: [...new Set(files.map(({ io }) => io))].join(', '),
    used: files.reduce((sum, { used }) => sum + used, 0),
    most: files.reduce((sum, { most }) => sum + most, 0),
    modules: contents?.modules,
    engine: contents?.modules.find(({ engine }) => engine !== undefined)?.engine,
  };
}

function refused(error: unknown): undefined {
  if (!(error instanceof NoAnswer && error.kind === 'refused')) throw error;
}

/** Of a mount whose daemon can't be asked: it may be a program's own, or dead, or another user's. */
async function seen(mount: MountInfo): Promise<State> {
  using server = Server.of(mount);
  const uid = process.geteuid?.();
  if (server === undefined && uid !== 0 && uid !== mount.owner) return 'unknown';
  // Its path leads to another.
  if (obstacle(mount) !== undefined) return server === undefined ? 'dead' : 'ok';
  const behind = await look(mount.dir, uid === 0 && mount.owner !== 0 ? mount : undefined);
  return { answers: 'ok' as const, dead: 'dead' as const, silent: 'not answering' as const }[behind];
}
