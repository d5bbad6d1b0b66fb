/** A counter that programs set by ioctl(2), and whose changes they wait for by poll(2). */
import { _IO, _IOR, _IOW, Errno, mount, POLLIN, procCreate, procRoot, WaitQueue } from 'ramproc';

const [RESET, GET, ADD] = [_IO('c', 0), _IOR('c', 1, 4), _IOW('c', 2, 4)];
const changes = new WaitQueue();
let count = 0;

procCreate('counter', 0o666, null, {
  open: () => ({ seen: 0 }),
  ioctl({ privateData: reader }, command, input, output) {
    if (command === RESET) count = 0;
    else if (command === ADD) count += new DataView(input.readAll().buffer).getInt32(0, true);
    else if (command === GET) output.write(new Uint8Array(Int32Array.of(count).buffer));
    else throw new Errno('ENOTTY');
    if (command === GET) reader.seen = count;
    else changes.wake();
  },
  poll(file, wake) {
    changes.pollWait(file, wake);
    return file.privateData.seen === count ? 0 : POLLIN;
  },
});
await mount(procRoot, process.argv[2] ?? 'mnt');
