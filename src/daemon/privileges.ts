import { Capability, keepCapabilities } from '../sys/capabilities.ts';
import { noNewPrivileges } from '../sys/prctl.ts';
import type { Plan } from './plan.ts';

const { DAC_OVERRIDE, DAC_READ_SEARCH, IPC_LOCK, SYS_ADMIN } = Capability;

/**
 * Leaves root what a mount needs: CAP_SYS_ADMIN to mount and unmount, and CAP_DAC_READ_SEARCH to find the directory again, such
 * as one in a home directory that is closed to others; CAP_DAC_OVERRIDE only to write a recording there, or what is saved. An ordinary user has
 * nothing to drop, and needs fusermount3's privileges to unmount.
 *
 * Linux has capabilities by the thread. The command drops them before it starts the daemon or becomes it, so that each of the
 * daemon's threads is without from its first instruction on.
 */
export function dropPrivileges(
  { record, save }: Pick<Plan, 'record' | 'save'>,
  ...needed: readonly number[]
): void {
  if (process.geteuid?.() !== 0) return;
  if (record !== undefined || save !== undefined)
    keepCapabilities(SYS_ADMIN, DAC_READ_SEARCH, DAC_OVERRIDE, ...needed);
  else keepCapabilities(SYS_ADMIN, DAC_READ_SEARCH, ...needed);
  // Else execve(2) would give them back to root.
  noNewPrivileges();
}

/** The same before the daemon is started: that of a secret needs more until its memory is locked. */
export function dropBeforeStart(plan: Pick<Plan, 'record' | 'save' | 'secret'>): void {
  dropPrivileges(plan, ...(plan.secret ? [IPC_LOCK] : []));
}
