import type { Placement, ProcOps } from 'ramproc';

/** `state` is more of its placement. */
export function attach(state: Placement): ProcOps;
