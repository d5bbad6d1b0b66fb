import { setTimeout as sleep } from 'node:timers/promises';
import type { Freed } from '../ram-file/give-back.ts';
import { manifest } from '../text/manifest.ts';
import { quote } from '../text/quote.ts';
import type { Mount } from '../transport/mount.ts';
import type { Answers, Input } from './control/server.ts';
import type { Plan } from './plan.ts';
import type { Teardown } from './teardown.ts';

/** How often progress is told, in milliseconds. */
const INTERVAL = 100;

/** A mount of this daemon. */
export interface Served {
  readonly device: string;
  readonly plan: Plan;
  readonly mount: Mount;
  readonly teardown: Teardown;
  readonly since: Date;
}

/** What the daemon of these mounts answers: see control/messages.ts. */
export function answers(mounts: readonly Served[]): Answers {
  const named = ({ mount }: Input): Served => {
    const found = mounts.find(({ device }) => device === mount);
    if (found === undefined) throw new Error(`its daemon has no mount ${quote(String(mount))}`);
    return found;
  };
  return {
    async hello() {
      return {
        version: manifest.version,
        pid: process.pid,
        mounts: mounts.map(({ device, plan: { file, transport }, mount: { dir, connected }, since }) => ({
          device,
          dir,
          transport,
          io: file.io,
          maxSize: file.maxSize,
          secret: file.secret !== undefined,
          since: since.toISOString(),
          connected,
        })),
      };
    },

    async *teardown(input) {
      yield* finish(named(input).teardown);
      return { taken: true };
    },

    async *unmounted({ lazy, wait, ...input }) {
      const { mount, plan, teardown } = named(input);
      const elsewhere = mount.connected;
      if (elsewhere && (lazy === true || plan.file.secret === undefined)) return { elsewhere };
      if (wait === false) void teardown.inSteps();
      else yield* finish(teardown);
      return { elsewhere };
    },
  };
}

/** Begins the teardown, or joins it, and tells how far it is. It goes on when nobody listens any more. */
async function* finish(teardown: Teardown): AsyncGenerator<Freed, void, undefined> {
  const finished = teardown.inSteps().then(() => true);
  // Its end is waited for in any case: see serve.ts.
  finished.catch(() => {});
  while (!(await Promise.race([finished, sleep(INTERVAL, false, { ref: false })]))) yield teardown.freed;
}
