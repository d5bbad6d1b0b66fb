import { readlinkSync } from 'node:fs';
import { type MountInfo, mounts } from '../sys/mountinfo.ts';
import { attempt, processes } from '../sys/processes.ts';
import { commandOf } from './holders.ts';

/** Another mount of the same file system. */
export interface Place {
  readonly id: number;
  /** Where it is mounted, in its own namespace. */
  readonly dir: string;
  /** A process in whose mount namespace it is; undefined for this one's own. */
  readonly pid?: number;
  /** That process's command line. */
  readonly command?: string;
}

/**
 * Where else a file system is mounted: by bind mounts, and in other mount namespaces, as far as a process is in them. Anybody
 * may read every process's mountinfo. See mount_namespaces(7).
 */
export function elsewhere({ id, device }: Pick<MountInfo, 'id' | 'device'>): Place[] {
  const found = new Map<number, Place>();
  const seen = new Set<string | undefined>();
  const look = (pid: number | 'self') => {
    // Only who may trace a process may know its namespace's number, which saves reading the same table again.
    const namespace = attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`));
    if (namespace !== undefined && seen.has(namespace)) return;
    seen.add(namespace);
    for (const mount of attempt(() => mounts(pid)) ?? []) {
      if (mount.device !== device || mount.id === id || found.has(mount.id)) continue;
      const whose = pid === 'self' ? {} : { pid, command: commandOf(pid) };
      found.set(mount.id, { id: mount.id, dir: mount.dir, ...whose });
    }
  };
  look('self');
  for (const pid of processes()) look(pid);
  return [...found.values()];
}

/** Those of the places that are there still. */
export function stillThere(places: readonly Place[], device: string): Place[] {
  return places.filter(({ id, pid }) =>
    attempt(() => mounts(pid))?.some((mount) => mount.id === id && mount.device === device),
  );
}
