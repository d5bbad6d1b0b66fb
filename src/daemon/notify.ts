import { closeSync, writeSync } from 'node:fs';
import { datagramTo } from '../sys/datagram.ts';
import { attempt } from '../sys/processes.ts';

/**
 * Tells who started this process as a service, such as systemd, how it is: lines like `READY=1` and `STATUS=text`. Nothing
 * happens when nobody wants to know. Source: sd_notify(3), "Notes".
 */
export function notify(...lines: readonly string[]): void {
  const { NOTIFY_SOCKET: socket = '' } = process.env;
  if (!/^[/@]./.test(socket)) return;
  attempt(() => {
    const fd = datagramTo(socket, true);
    try {
      writeSync(fd, lines.join('\n'));
    } finally {
      closeSync(fd);
    }
  });
}
