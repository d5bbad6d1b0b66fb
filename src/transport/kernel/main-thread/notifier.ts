import { Worker } from 'node:worker_threads';
import { ownModule } from '../../../sys/own-module.ts';
import type { NotifierData } from '../worker-contract.ts';

/** Where its thread starts. */
const THREAD = 'transport/kernel/notifier-thread/notifier';

/**
 * How long to wait for the thread's start, or for the kernel, in milliseconds: a limit for what hangs. The kernel acts as soon as the
 * requests are answered that it waits for, which workers do; but one that has ended in the midst of such a request is replaced by
 * the very thread that waits here.
 */
const PATIENCE = 10_000;

/**
 * Sends notifications of which the kernel has acted on each when `send` returns. By a thread of its own, which is started with the
 * first: the kernel may wait for the answer to a READ or WRITE of the same page (fuse_reverse_inval_inode, fuse_notify_store), in a
 * sleep that no signal ends; and those of libuv say that they are done on the event loop only, which waits here.
 */
export class Notifier implements AsyncDisposable {
  readonly #fd: number;
  readonly #done = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #sent = 0;
  #worker: Worker | undefined;

  /** For the mount's /dev/fuse. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** What has kept somebody waiting in vain isn't waited for again before it has caught up. */
  send(message: Uint8Array): void {
    this.#worker ??= this.#start();
    const isBehind = Atomics.load(this.#done, 0) !== this.#sent;
    this.#worker.postMessage(message);
    this.#sent++;
    if (!isBehind) this.#wait();
  }

  #wait(): void {
    const end = performance.now() + PATIENCE;
    for (;;) {
      const done = Atomics.load(this.#done, 0);
      const left = end - performance.now();
      if (done === this.#sent || left <= 0) return;
      Atomics.wait(this.#done, 0, done, left);
    }
  }

  #start(): Worker {
    const workerData: NotifierData = { fd: this.#fd, done: this.#done };
    const worker = new Worker(new URL(ownModule(THREAD)), { workerData });
    worker.unref();
    worker.on('error', (error) => console.error(error));
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }
}
