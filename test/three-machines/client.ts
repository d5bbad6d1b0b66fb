import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the clients of one machine saw. */
export interface Tally {
  readonly machine: number;
  calls: number;
  /** How calls ended that had no data. */
  readonly errors: Record<string, number>;
  wrong: number;
  /** In milliseconds. */
  longest: number;
  /** What was appended for certain, and what perhaps. */
  readonly appended: string[];
  readonly perhaps: string[];
  /** Of each of its pages, which numbers it may have now. */
  readonly pages: number[][];
}

export const PAGE = 4096;
/** Pages that each machine writes to. */
export const PAGES = 16;
/** Loops of each kind that a machine runs at once; Node makes four calls at a time. */
const LOOPS = 2;

const [, , machineText = '', data = '', log = '', secondsText = ''] = process.argv;
const machine = Number(machineText);
const tally: Tally = {
  machine,
  calls: 0,
  errors: {},
  wrong: 0,
  longest: 0,
  appended: [],
  perhaps: [],
  pages: Array.from({ length: PAGES }, () => [0]),
};

/** A page says whose it is and its number, all over. */
export function pageOf(owner: number, number: number): Buffer {
  return Buffer.alloc(PAGE, `${owner}:${number};`.padEnd(16, '.'));
}

/** Makes a call, and counts how it ends. Returns what it answered, or its error's name. */
async function call<T>(make: () => Promise<T>): Promise<T | string> {
  const began = performance.now();
  tally.calls++;
  try {
    return await make();
  } catch (error) {
    const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException;
    tally.errors[code] = (tally.errors[code] ?? 0) + 1;
    return code;
  } finally {
    tally.longest = Math.max(tally.longest, performance.now() - began);
  }
}

/** Writes its own pages, one after the other, and looks at anybody's. */
async function writePages(file: FileHandle, loop: number, end: number): Promise<void> {
  for (let number = 1; performance.now() < end; number++) {
    const page = ((number * LOOPS + loop) % PAGES) as number;
    const at = (machine * PAGES + page) * PAGE;
    const bytes = pageOf(machine, number);
    const written = await call(() => file.write(bytes, 0, PAGE, at));
    // A number that it may have; what comes before it is over once a write is done.
    if (typeof written === 'string') tally.pages[page]?.push(number);
    else if (written.bytesWritten === PAGE) tally.pages[page] = [number];
    else tally.wrong++;
    const others = Math.floor(Math.random() * 3 + 1);
    const read = await call(() => file.read(Buffer.alloc(PAGE), 0, PAGE, (others * PAGES + page) * PAGE));
    if (typeof read === 'string') await sleep(20);
    else if (read.bytesRead > 0 && !isWhole(read.buffer, others)) tally.wrong++;
    const own = await call(() => file.read(Buffer.alloc(PAGE), 0, PAGE, at));
    if (typeof own !== 'string' && !(tally.pages[page] ?? []).some((one) => isPage(own.buffer, one)))
      tally.wrong++;
  }
}

function isPage(bytes: Buffer, number: number): boolean {
  return bytes.equals(number === 0 ? Buffer.alloc(PAGE) : pageOf(machine, number));
}

/** Whether a page is one that its owner wrote, or none yet. */
function isWhole(bytes: Buffer, owner: number): boolean {
  const [, number] = bytes.toString('latin1', 0, 16).match(/^\d+:(\d+);/) ?? [];
  return bytes.equals(number === undefined ? Buffer.alloc(PAGE) : pageOf(owner, Number(number)));
}

async function append(file: FileHandle, loop: number, end: number): Promise<void> {
  for (let number = 0; performance.now() < end; number++) {
    const record = `${machine}.${loop}.${number}`.padEnd(31, '-');
    const written = await call(() => file.write(`${record}\n`));
    if (typeof written !== 'string') tally.appended.push(record);
    else if (written === 'ETIMEDOUT') tally.perhaps.push(record);
    if (typeof written === 'string') await sleep(20);
  }
}

/** The tool imports what pages look like from here too. */
if (process.send !== undefined) {
  const end = performance.now() + Number(secondsText) * 1000;
  const pages = await open(data, 'r+');
  const records = await open(log, 'a');
  await Promise.all(
    Array.from({ length: LOOPS }, (_, loop) => [
      writePages(pages, loop, end),
      append(records, loop, end),
    ]).flat(),
  );
  await pages.close();
  await records.close();
  process.send(tally);
}
