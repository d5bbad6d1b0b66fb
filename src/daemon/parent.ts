import { closeSync, readSync } from 'node:fs';
import { closeOnExec } from '../sys/descriptor.ts';
import { write } from '../sys/read-write.ts';
import { isWritable, whenReadable } from '../sys/watch.ts';
import { message } from '../text/message.ts';
import { codeOf } from '../text/reason.ts';
import type { Starter } from './house.ts';
import { PARENT, type Report } from './order.ts';

/** The command that started this daemon. */
export interface Parent extends Starter {
  failed(error: unknown): void;
}

/**
 * The daemon's end of the channel, a socket: what it says are lines of JSON, and a byte comes back when the command has taken over the
 * mount. The process is told to end when the command ends before.
 */
export function parent(): Parent {
  closeOnExec(PARENT);
  let keep = () => {};
  const kept = new Promise<void>((done) => {
    keep = done;
  });
  const watch = whenReadable(PARENT, () => {
    // It may have ended while Node started.
    if (readSync(PARENT, Buffer.alloc(1)) === 0) process.kill(process.pid, 'SIGTERM');
    else keep();
    watch[Symbol.dispose]();
  });
  // What can't be said isn't: there is nobody any more to hear of it.
  const say = (report: Report) => {
    const line = Buffer.from(`${JSON.stringify(report)}\n`);
    write(PARENT, line, line.length);
  };
  return {
    progress(bytes, total) {
      // There is room for what matters, also when the command is stopped and reads nothing.
      if (isWritable(PARENT)) say({ kind: 'progress', bytes, total });
    },
    notice: (text) => say({ kind: 'notice', message: text }),
    async mounted(mounted) {
      say({ kind: 'mounted', mounted });
      await kept;
      closeSync(PARENT);
    },
    failed(error) {
      say({ kind: 'failed', message: message(error), code: codeOf(error) });
      watch[Symbol.dispose]();
    },
  };
}
