import { once } from 'node:events';
import { message } from '../text/message.ts';
import { codeOf } from '../text/reason.ts';
import type { Starter } from './house.ts';
import type { Report } from './order.ts';

/** The command that started this daemon. */
export interface Parent extends Starter {
  failed(error: unknown): void;
}

/** The daemon's end of the channel. The process is told to end when the command ends before it has taken over the mount. */
export function parent(): Parent {
  const giveUp = () => process.kill(process.pid, 'SIGTERM');
  process.on('disconnect', giveUp);
  // It may have ended while Node started, when nobody listened yet.
  if (!process.connected) giveUp();
  // Without somebody to hear of it, that the command is gone would be thrown.
  const say = (report: Report) => process.send?.(report, undefined, undefined, () => {});
  return {
    progress: (bytes, total) => say({ kind: 'progress', bytes, total }),
    notice: (text) => say({ kind: 'notice', message: text }),
    async mounted(mounted) {
      const kept = once(process, 'message');
      say({ kind: 'mounted', mounted });
      await kept;
      process.off('disconnect', giveUp);
      if (process.connected) process.disconnect();
    },
    failed: (error) => say({ kind: 'failed', message: message(error), code: codeOf(error) }),
  };
}
