import { readlinkSync } from 'node:fs';
import { type MountInfo, mounts } from '../sys/mountinfo.ts';
import { attempt, processes } from '../sys/processes.ts';
import { FSTYPE } from './options.ts';

/** A mount of ours. */
export interface Found {
  readonly mount: MountInfo;
  /** A process in whose mount namespace it is; undefined for this one's own. */
  readonly pid?: number | undefined;
}

/**
 * All mounts of ours on this machine: those of this namespace, and of each file system that is mounted only in other ones, one mount.
 * Anybody may read every process's mountinfo, and nothing is asked of the mounts themselves.
 */
export function everywhere(): Found[] {
  const ours = (pid?: number) =>
    (attempt(() => mounts(pid)) ?? []).filter(({ type }) => type === FSTYPE).map((mount) => ({ mount, pid }));
  const found: Found[] = ours().map(({ mount }) => ({ mount }));
  const devices = new Set(found.map(({ mount }) => mount.device));
  const seen = new Set<string | undefined>([attempt(() => readlinkSync('/proc/self/ns/mnt'))]);
  for (const pid of processes()) {
    // Only who may trace a process may know its namespace's number, which saves reading the same table again.
    const namespace = attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`));
    if (namespace !== undefined && seen.has(namespace)) continue;
    seen.add(namespace);
    for (const one of ours(pid)) {
      if (devices.has(one.mount.device)) continue;
      devices.add(one.mount.device);
      found.push(one);
    }
  }
  return found;
}
