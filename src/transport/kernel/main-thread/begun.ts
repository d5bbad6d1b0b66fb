import { Worker } from 'node:worker_threads';
import { exitAtOnce } from '../../../sys/exec.ts';
import { ownModule } from '../../../sys/own-module.ts';
import type { BegunData, WorkerData } from '../worker-contract.ts';

/** Where a worker starts. */
export const WORKER = 'transport/kernel/worker-thread/worker';

/** The one that was begun, until a mount takes it. */
let begun: { readonly worker: Worker; readonly mounted: Int32Array } | undefined;

/**
 * Begins a worker for the mount that comes next, by a thread that hasn't loaded yet what it mounts with: the two of them load at the same
 * time.
 */
export function beginWorker(): void {
  // A thread that is terminated while it loads koffi ends the process by SIGABRT.
  process.on('exit', (status) => {
    if (begun !== undefined) exitAtOnce(status);
  });
  const mounted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const workerData: BegunData = { mounted };
  try {
    const worker = new Worker(new URL(ownModule(WORKER)), { workerData });
    worker.unref();
    begun = { worker, mounted };
    // The one that is started in its place says why.
    worker.on('error', () => {
      if (begun?.worker === worker) begun = undefined;
    });
  } catch {}
}

/** Starts a worker, or has the one that was begun go on. */
export function startWorker(workerData: WorkerData): Worker {
  if (begun === undefined) return new Worker(new URL(ownModule(WORKER)), { workerData });
  const { worker, mounted } = begun;
  begun = undefined;
  worker.ref();
  worker.postMessage(workerData);
  Atomics.store(mounted, 0, 1);
  Atomics.notify(mounted, 0);
  return worker;
}
