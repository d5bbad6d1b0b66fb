import type { ProcFile } from '../../../proc-fs/handler.ts';

/**
 * Of a file that workers serve, chance decides which thread gets a call, so none keeps what is open: the number that the kernel
 * hands back with each call says all there is to know, who opened it and with which flags.
 *
 * 32 bits for the user and 21 for the flags fit into a number. Flags from O_PATH on never come with a file that can be read.
 */
const USERS = 2 ** 32;
const FLAGS = 2 ** 21 - 1;

export function fhOf({ flags, uid }: ProcFile): number {
  return (flags & FLAGS) * USERS + uid;
}

/** An open file that is made anew for each call. */
export class SharedFile implements ProcFile {
  flags = 0;
  uid = 0;
  pos = 0;
  privateData = undefined;

  /** Makes it the one that a call is on. */
  place(fh: number): this {
    this.flags = Math.floor(fh / USERS);
    this.uid = fh % USERS;
    this.pos = 0;
    return this;
  }
}
