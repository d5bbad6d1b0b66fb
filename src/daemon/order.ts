import type { Mounted } from './house.ts';
import type { Plan } from './plan.ts';

/** What a daemon process is told, as JSON in its only parameter. It starts in another directory: all paths are absolute. */
export interface Order {
  readonly dir: string;
  readonly plan: Plan;
  /** Whether it took the place of the command, or was started by it and speaks to it: see parent.ts. */
  readonly foreground: boolean;
  /** In the foreground: how to print the result. */
  readonly json: boolean;
  /** In the foreground: the log's descriptor. In the background it is standard error. */
  readonly log?: number;
}

/** What a daemon in the background tells the command that started it. */
export type Report =
  | { readonly kind: 'progress'; readonly bytes: number; readonly total: number | undefined }
  | { readonly kind: 'notice'; readonly message: string }
  | { readonly kind: 'mounted'; readonly mounted: Mounted }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined };

/** What the command answers to `mounted`: it will say so. If it ends without a word, nobody knows of the mount, and it goes. */
export const KEEP = '\n';

/** The descriptor by which a daemon in the background and the command speak, a socket. */
export const PARENT = 3;
