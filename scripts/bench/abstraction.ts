/**
 * What the layers cost: a READ of 4 KiB from the request's bytes to the reply's, through all of them, against one function
 * that does the same by hand, with no kernel in between. Prints both and their ratio, and fails when one is over the limit.
 */
import { UserSliceReader } from '../../src/proc-fs/user-slice.ts';
import { RamBuffer } from '../../src/ram-file/ram-buffer.ts';
import { attach, RamFile } from '../../src/ram-file/ram-file.ts';
import { inlineLayers } from '../../src/transport/kernel/inlining.ts';
import { byHand } from './abstraction/by-hand.ts';
import { layers } from './abstraction/layers.ts';
import { FILE_SIZE, LENGTH, readRequest, type Server } from './abstraction/request.ts';
import { format, median } from './statistics.ts';

const LIMIT = 1.1;
/** Short ones: the two times of a ratio are then taken within a millisecond, and the median leaves out what was disturbed. */
const ROUNDS = 801;
const REQUESTS = 5_000;

/** How long a request takes, in nanoseconds. */
function time(server: Server): number {
  const start = performance.now();
  for (let i = 0; i < REQUESTS; i++) server(LENGTH);
  return ((performance.now() - start) * 1e6) / REQUESTS;
}

/** A B A B. Prints the medians and the ratio's. */
function compare(what: string, a: Server, b: Server): void {
  if (a(LENGTH) !== b(LENGTH))
    throw new Error('The layers and the function by hand differ in their replies.');
  const rounds = Array.from({ length: ROUNDS }, () => [time(a), time(b)] as const);
  const through = median(rounds.map(([one]) => one));
  const hand = median(rounds.map(([, other]) => other));
  const ratio = median(rounds.map(([one, other]) => one / other));
  console.log(
    `${what}: ${format(through)} ns through the layers, ${format(hand)} ns by hand, ratio ${ratio.toFixed(2)}`,
  );
  if (ratio > LIMIT) {
    console.log(`  over the limit of ${LIMIT.toFixed(2)}`);
    process.exitCode = 1;
  }
}

inlineLayers();
const buffer = RamBuffer.create({ name: 'abstraction', maxSize: FILE_SIZE });
const file = RamFile.create(buffer, 0o666, 0, 0);
file.write(null, new UserSliceReader().place(Buffer.alloc(FILE_SIZE, 'ramproc'), 0, FILE_SIZE), 0);
const state = file.shared.state as Parameters<typeof attach>[0];
const scratch = file.scratch(0);
if (scratch === undefined) throw new Error('A file in direct mode has scratch memory.');
const call = readRequest(scratch);

// First as a mount in direct mode copies; the other code that then runs makes V8 forget what it knew.
compare('copied in the mapping', layers(call, file), byHand(call, state.mutex, state.buffer));
const unmapped = { ...state, buffer: { ...state.buffer, mapped: undefined } };
compare('copied by pread(2)', layers(call, attach(unmapped)), byHand(call, unmapped.mutex, unmapped.buffer));
file.teardown();
