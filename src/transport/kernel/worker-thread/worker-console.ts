import { Console } from 'node:console';
import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';

/** A descriptor as a stream. What can't be written is dropped: a full disk must not end a worker. */
function descriptor(fd: number): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        writeSync(fd, chunk);
      } catch {}
      done();
    },
  });
}

/**
 * Has `console` write to the process's own descriptors. Node prints a worker's words in the main thread, and takes the
 * second ones only after an acknowledgement on the worker's event loop, to which a worker of ours never returns.
 */
export function printAtOnce(): void {
  globalThis.console = new Console(descriptor(1), descriptor(2));
}
