import type { IoMode } from '../ram-file/module.ts';

/** What serves a mount: see src/transport. */
export const transports = ['kernel', 'libfuse'] as const;
export type Transport = (typeof transports)[number];

/** What `ramproc mount` can be told, by flags or by `-o`. */
export interface Settings {
  name?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  maxSize?: number;
  threads?: number;
  from?: string;
  transport?: Transport;
  log?: string;
  record?: string;
  io?: IoMode;
  allowOther?: boolean;
  /** Have fusermount3 unmount when the daemon dies. */
  autoUnmount?: boolean;
  secret?: boolean;
  /** Mount also on a directory that has something in it. */
  nonempty?: boolean;
  /** Words of mount(8), in the order given. */
  words?: string[];
}
