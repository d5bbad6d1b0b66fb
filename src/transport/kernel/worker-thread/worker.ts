import { parentPort, workerData } from 'node:worker_threads';
import { openDevice } from '../channel/recording.ts';
import { Call } from '../wire/call.ts';
import type { WorkerData, WorkerMessage } from '../worker-contract.ts';
import { FileWorker } from './file-worker.ts';
import { printAtOnce } from './worker-console.ts';

if (parentPort === null)
  throw new Error('worker.ts is the start of a worker thread, not a module to import.');
const port = parentPort;
printAtOnce();
const { fd, recording, thread, nodes, serving }: WorkerData = workerData;
const worker = new FileWorker();
for (const node of nodes) await worker.attach(node);
const send = (message: WorkerMessage) => port.postMessage(message);
send('ready');
worker.run(openDevice(fd, recording), new Call(...worker.buffers(thread)), serving, send);
send('unmounted');
