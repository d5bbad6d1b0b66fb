import type { Connection, Login } from './client.ts';
import { connectFor } from './find.ts';
import type { Script } from './layout.ts';
import type { Argument } from './wire.ts';

/** What a mount has with an engine: a connection to ask by, and one for changes. */
export interface Link {
  readonly main: Connection;
  /** The same, but where replicas are waited for: the engine answers nothing else on that one meanwhile (WAIT). */
  readonly writes: Connection;
}

/** How to connect. */
interface Way {
  /** The file's key. */
  readonly key: string;
  /** How long it may take, in milliseconds. */
  readonly timeout: number;
  readonly waitsForReplicas: boolean;
  /** What the engine is to know. */
  readonly scripts: readonly Script[];
}

/** Connects to the engine that may change a file, and has it greeted. Throws what that failed with, and leaves nothing open then. */
export async function openLink(
  login: Login,
  { key, timeout, waitsForReplicas, scripts }: Way,
  greet: (main: Connection) => Promise<void>,
): Promise<Link> {
  const main = await connectFor(login, key, timeout);
  const giveUp = setTimeout(() => main.destroy(), timeout);
  let writes = main;
  try {
    if (waitsForReplicas) writes = await connectFor(login, key, timeout);
    await Promise.all(scripts.map(({ text }) => main.send(['SCRIPT', 'LOAD', text])));
    await greet(main);
    return { main, writes };
  } catch (error) {
    main.destroy();
    writes.destroy();
    throw error;
  } finally {
    clearTimeout(giveUp);
  }
}

/** The command that runs a script that is loaded on a file. */
export function evalsha(
  { sha }: Script,
  key: string,
  args: readonly (string | number | Buffer)[],
): Argument[] {
  return ['EVALSHA', sha, '1', key, ...args.map((arg) => (typeof arg === 'number' ? String(arg) : arg))];
}
