import { readdirSync, readFileSync } from 'node:fs';
import type { Mount } from '../support/mount.ts';

/** What a daemon has at one moment. */
export interface Sample {
  readonly descriptors: number;
  readonly threads: number;
  /** Resident bytes, without the pages of the RAM file, whose number is the clients' doing (RssShmem). */
  readonly memory: number;
}

/** Throws when the process has ended. Source: proc_pid_status(5). */
export function sample({ pid }: Mount): Sample {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(status.match(new RegExp(`^${name}:\\s*(\\d+)`, 'm'))?.[1]);
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
    memory: (field('RssAnon') + field('RssFile')) * 1024,
  };
}
