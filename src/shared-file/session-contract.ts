import type { Connection, Login } from './client.ts';

/** What a file is made with when it isn't there. */
export interface Creation {
  /** In pages. */
  readonly max: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface SessionOptions extends Login {
  /** The file's name in the engine. */
  readonly key: string;
  /** How long a call may take, in milliseconds. */
  readonly timeout: number;
  /** How many replicas must have a change before it is answered. */
  readonly replicas: number;
  /** Whether a file that is gone is made again, empty. */
  readonly recreate: boolean;
  /** Where it is mounted, for others who look. */
  readonly dir: string;
  /** Who and where this is, for others who look. */
  readonly who: Readonly<Record<string, unknown>>;
  /** What happens that a person should know, in one sentence. */
  readonly say: (sentence: string) => void;
}

/** How a mount and its engine stand: times are those of performance.now(). */
export interface Standing {
  /** The connection that there is. */
  readonly connection: Connection | undefined;
  /** Since when there is one, or none. */
  readonly since: number;
  /** When the engine was heard last. */
  readonly heard: number;
  /** Whether the file isn't there any more. */
  readonly isGone: boolean;
  /** Why there is no connection, as far as it is known. */
  readonly trouble: string | undefined;
}
