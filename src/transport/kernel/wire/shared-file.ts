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

/** What `flags` is until a request has told them. */
const AS_OPENED = -1;

/** An open file that is made anew for each call. Nothing is taken apart before somebody asks. */
export class SharedFile implements ProcFile {
  pos = 0;
  privateData = undefined;
  #fh = 0;
  #flags = AS_OPENED;

  /** Makes it the one that a call is on. */
  place(fh: number): this {
    this.#fh = fh;
    this.#flags = AS_OPENED;
    this.pos = 0;
    return this;
  }

  get uid(): number {
    return this.#fh % USERS;
  }

  get flags(): number {
    return this.#flags === AS_OPENED ? Math.floor(this.#fh / USERS) : this.#flags;
  }

  set flags(flags: number) {
    this.#flags = flags;
  }
}
