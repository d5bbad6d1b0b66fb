import { fork } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HANGS_AFTER } from '../support/hanging.ts';
import { makeDir } from '../support/run.ts';
import type { Report } from './fuzz-process.ts';
import { show } from './protocol.ts';

/**
 * Sends `count` hostile requests, made from `seed` and on, in a process of its own, so that also one that ends or stops it
 * is found. Resolves with how often each opcode was served without an error. Throws with the request that went wrong.
 */
export async function hunt(
  seed: number,
  count: number,
  sent: (count: number) => void = () => {},
): Promise<ReadonlyMap<number, number>> {
  const note = join(makeDir('fuzz'), 'request');
  const child = fork(join(import.meta.dirname, 'fuzz-process.ts'), [note, String(seed), String(count)], {
    execArgv: ['--import', join(import.meta.dirname, '../support/typescript.mjs')],
  });
  let last: Report | undefined;
  let hung = false;
  child.on('message', (report: Report) => {
    last = report;
    if (report.kind === 'sent') sent(report.count);
  });
  const watch = setInterval(() => {
    if (Date.now() - (statSync(note, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) < HANGS_AFTER) return;
    hung = true;
    child.kill('SIGKILL');
  }, 1000);
  const how = await new Promise((ended) => child.once('exit', (status, signal) => ended(signal ?? status)));
  clearInterval(watch);
  if (last?.kind === 'done') return new Map(last.served);
  if (last?.kind === 'wrong') throw new Error(`${last.message}\n${again(seed)}`);
  const request = noted(readFileSync(note));
  const what = hung ? `was not answered in ${HANGS_AFTER} ms` : `ended the process (${how})`;
  throw new Error(`A request ${what}:\n${show(request)}\n${again(seed)}`);
}

/** What is in the file that fuzz-process.ts keeps. */
function noted(bytes: Buffer): Uint8Array {
  return bytes.subarray(4, 4 + bytes.readUInt32LE());
}

function again(seed: number): string {
  return `The same requests again: npm run fuzz -- --seed ${seed}; only this one: npm run fuzz -- --request HEX`;
}
