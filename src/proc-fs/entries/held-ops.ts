import { ESRCH } from '../../sys/errno.ts';
import type { Caller } from '../caller.ts';
import type { MaybePromise, ProcFile } from '../handler.ts';
import { isLater } from '../later.ts';
import { errnoOf, ProcOps, type Raw } from '../proc-ops.ts';
import type { UserSliceReader, UserSliceWriter } from '../user-slice.ts';

/**
 * The ProcOps of a file that was looked up. To who has it open when it is gone, reads, writes and ioctls are ESRCH, as of
 * /proc/PID/status (proc_single_show). Not where workers serve it: they know of no names.
 */
export class HeldOps extends ProcOps {
  readonly #isGone: (caller: Caller) => MaybePromise<boolean>;

  constructor({ handler, placement }: ProcOps, isGone: (caller: Caller) => MaybePromise<boolean>) {
    super(handler, placement);
    this.#isGone = isGone;
  }

  override procRead(file: ProcFile | undefined, to: UserSliceWriter, offset: number, caller: Caller): Raw {
    return this.#whileThere(caller, () => super.procRead(file, to, offset, caller));
  }

  override procWrite(file: ProcFile | undefined, from: UserSliceReader, offset: number, caller: Caller): Raw {
    return this.#whileThere(caller, () => super.procWrite(file, from, offset, caller));
  }

  override procIoctl(
    file: ProcFile | undefined,
    command: number,
    input: UserSliceReader,
    output: UserSliceWriter,
    caller: Caller,
  ): Raw {
    return this.#whileThere(caller, () => super.procIoctl(file, command, input, output, caller));
  }

  #whileThere(caller: Caller, call: () => Raw): Raw {
    try {
      const gone = this.#isGone(caller);
      if (!isLater(gone)) return gone ? -ESRCH : call();
      return gone.then((late) => (late ? -ESRCH : call())).catch(errnoOf);
    } catch (error) {
      return errnoOf(error);
    }
  }
}
