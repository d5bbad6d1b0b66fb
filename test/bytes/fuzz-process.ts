import { openSync, readFileSync, writeSync } from 'node:fs';
import { MAX_WRITE, PAGE_SIZE } from '../../src/transport/kernel/wire/init.ts';
import { Fuzz } from './fuzz.ts';
import { seedsOf } from './mutate.ts';
import { RECORDING, requestsIn } from './recording.ts';

/** What this process tells the one that started it. */
export type Report =
  | { readonly kind: 'sent'; readonly count: number }
  | { readonly kind: 'wrong'; readonly message: string }
  /** How often each opcode was served without an error. */
  | { readonly kind: 'done'; readonly served: readonly (readonly [opcode: number, times: number])[] };

/** So many requests go to the same two worlds; the next have new ones, and another seed. */
const EPOCH = 50_000;

const [, , noteFile = '', seed = '', total = ''] = process.argv;
const tell = (report: Report) => new Promise((told) => process.send?.(report, told));

/** The request that is being served, for the case that this process doesn't live to tell: its length, and its bytes. */
const note = openSync(noteFile, 'w');
const noted = Buffer.alloc(4 + 2 * (MAX_WRITE + PAGE_SIZE));
function about(request: Uint8Array): void {
  noted.writeUInt32LE(request.length);
  noted.set(request, 4);
  writeSync(note, noted, 0, 4 + request.length, 0);
}

const served = new Map<number, number>();
const seeds = seedsOf(requestsIn(readFileSync(RECORDING)));
try {
  for (let count = 0, epoch = Number(seed); count < Number(total); epoch++) {
    const requests = Math.min(EPOCH, Number(total) - count);
    using fuzz = await Fuzz.start();
    fuzz.run(seeds, epoch, requests, about);
    for (const [opcode, times] of fuzz.served) served.set(opcode, (served.get(opcode) ?? 0) + times);
    count += requests;
    await tell({ kind: 'sent', count });
  }
  await tell({ kind: 'done', served: [...served] });
} catch (error) {
  await tell({ kind: 'wrong', message: error instanceof Error ? error.message : String(error) });
}
process.disconnect();
