/**
 * Mounts a directory with a file whose reads are never answered, says so, and ends in the way that it is told by a line of standard
 * input. The second parameter is options of mount(), as JSON. With "in-worker" a worker of its makes the mount.
 */
import { createInterface } from 'node:readline';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { mount, ProcDirEntry, procCreate } from 'ramproc';

const [, , dir = workerData, options = '{}', where] = process.argv;
if (isMainThread && where === 'in-worker') {
  const worker = new Worker(new URL(import.meta.url), { argv: [], workerData: dir });
  worker.once('message', () => console.log('mounted'));
  for await (const line of createInterface(process.stdin)) {
    if (line === 'terminate') await worker.terminate();
    if (line === 'exit') process.exit(0);
    console.log('terminated');
  }
} else {
  const root = ProcDirEntry.root();
  procCreate('hangs', 0o444, root, { read: () => new Promise(() => {}) });
  const mounted = await mount(root, isMainThread ? dir : workerData, isMainThread ? JSON.parse(options) : {});
  if (isMainThread) {
    console.log('mounted');
    const lines = createInterface(process.stdin);
    lines.once('line', (how) => {
      lines.close();
      process.stdin.unref();
      const ways = {
        exit: () => process.exit(0),
        exception: () => {
          throw new Error('as it was told');
        },
        rejection: () => void Promise.reject(new Error('as it was told')),
        unref: () => mounted.unref(),
        unmount: () => mounted.unmount({ lazy: true }),
        force: () => mounted.unmount({ force: true }).then(() => mounted.unmount()),
      };
      ways[how]?.();
    });
  } else parentPort.postMessage('mounted');
}
