import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 make fast code of what serves, once all is loaded. It stops inlining at 920 bytes of bytecode a function, in the middle of the
 * layers: what isn't inlined is called, and its 64-bit numbers are allocated. Nothing but the optimizing compiler reads the limit
 * (npm run bench:layers).
 *
 * Not by the command line: with any flag of V8's it takes nothing of the code of Node's own modules that Node has ready, and compiles it
 * anew in each thread: 70 ms of a processor for a daemon and its worker.
 */
export function settle(): void {
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=8000');
}
