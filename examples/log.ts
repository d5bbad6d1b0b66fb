/** A log whose lines wait for their readers: cat mnt/log & echo hello >mnt/log */
import { mount, POLLIN, POLLRDNORM, procCreate, procRoot, WaitQueue } from 'ramproc';

const lines: Uint8Array[] = [];
const queue = new WaitQueue();

procCreate('log', 0o666, null, {
  async read(_file, to, _offset, caller) {
    // EAGAIN with O_NONBLOCK; who is killed takes no line along.
    const line = await queue.waitEvent(() => lines.shift(), caller);
    if (line.length > to.left) lines.unshift(line.subarray(to.left));
    to.write(line.subarray(0, to.left));
  },
  write(_file, from) {
    lines.push(from.readAll());
    queue.wake();
  },
  poll(file, wake) {
    queue.pollWait(file, wake);
    return lines.length > 0 ? POLLIN | POLLRDNORM : 0;
  },
});
await mount(procRoot, process.argv[2] ?? 'mnt');
