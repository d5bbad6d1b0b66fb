import { setTimeout as sleep } from 'node:timers/promises';
import type { Mount } from '../transport/mount.ts';
import type { TraceEvent } from '../transport/trace.ts';
import { allocateRoom, giveRoom, type TraceFilter, takeMissed } from '../transport/tracers.ts';
import type { TraceProgress } from './control/messages.ts';

/** Of how many requests is told at once, and how often, in milliseconds: more than 20,000 a second are missed. */
const ROOM = 1000;
const TICK = 50;

/** How many requests a message has: it may have a megabyte, and a path thousands of characters. */
const TOGETHER = 32;

/** How often it is said that it goes on while there is nothing to tell, in milliseconds. */
const HEARTBEAT = 1000;

/**
 * The requests to a mount, in the order in which they came, until it is gone. As long as nobody takes what it yields there is no more
 * room, and requests are missed: they wait for nobody, and nothing of them is kept.
 */
export async function* tracing(
  mount: Mount,
  filter: TraceFilter,
): AsyncGenerator<TraceProgress, void, undefined> {
  const events: TraceEvent[] = [];
  const room = allocateRoom(ROOM);
  using _tracing = mount.trace((event) => void events.push(event), filter, room);
  yield { events: [], missed: 0 };
  let goesOn = true;
  const closed = mount.closed.then(
    () => false,
    () => false,
  );
  for (let said = performance.now(); goesOn; ) {
    goesOn = await Promise.race([closed, sleep(TICK, true, { ref: false })]);
    const now = events.splice(0).sort((one, other) => one.at - other.at);
    const missed = takeMissed(room);
    if (now.length === 0 && missed === 0 && performance.now() - said < HEARTBEAT) continue;
    for (let at = 0; at < now.length; at += TOGETHER)
      yield { events: now.slice(at, at + TOGETHER), missed: 0 };
    yield { events: [], missed };
    giveRoom(room, now.length);
    said = performance.now();
  }
}

/** What a client asks for. Throws the last part of a sentence. */
export function traceFilter(filter: unknown): TraceFilter {
  const { operations, path, failed } = Object(filter);
  const isList = operations === undefined || (Array.isArray(operations) && operations.every(isText));
  if (!isList || !(path === undefined || isText(path)) || !['boolean', 'undefined'].includes(typeof failed))
    throw new Error('its filter is none; use the version of ramproc that mounted it');
  return { operations, path, failed };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
