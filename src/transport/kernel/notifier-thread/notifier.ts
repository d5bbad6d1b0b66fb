import { parentPort, workerData } from 'node:worker_threads';
import { write } from '../../../sys/read-write.ts';
import type { NotifierData } from '../worker-contract.ts';

if (parentPort === null)
  throw new Error('notifier.ts is the start of a worker thread, not a module to import.');
const { fd, done }: NotifierData = workerData;

/** Whatever comes back is as good: see DeviceChannel. */
parentPort.on('message', (message: Uint8Array) => {
  write(fd, message, message.length);
  Atomics.add(done, 0, 1);
  Atomics.notify(done, 0);
});
