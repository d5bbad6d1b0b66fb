import { parseArgs } from 'node:util';
import { ioModes } from '../../src/ram-file/defaults.ts';
import { joinRun, startRun } from '../support/run.ts';
import { playRequest, playRequests } from './requests.ts';
import { playSequence, playSequences } from './sequences.ts';

/**
 * npm run fuzz -- [--requests N] [--seed N] [--minutes N] [--io MODE] | --request HEX | --replay SEQUENCE [--io MODE]
 *
 * First serves N hostile requests (default: 1,000,000), made from a number (default: another each time), without a
 * kernel. Then plays random sequences of calls on a mount and on tmpfs, for N minutes (default: 1), in one I/O mode or in
 * all of them in turn. Or does one request or sequence that failed. Ends with status 1, and what went wrong.
 */
const { values } = parseArgs({
  options: {
    requests: { type: 'string' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
    io: { type: 'string' },
    request: { type: 'string' },
    replay: { type: 'string' },
  },
});

function number(name: 'requests' | 'seed' | 'minutes', standard: number): number {
  const value = Number(values[name] ?? standard);
  if (value >= 0) return value;
  throw new Error(`--${name} needs a number of 0 or more, not "${values[name]}".`);
}

const requests = number('requests', 1_000_000);
const seed = number('seed', Date.now() % 2 ** 31);
const minutes = number('minutes', 1);
const modes: readonly string[] = values.io === undefined ? ioModes : [values.io];

const run = startRun();
joinRun(run.dir);
try {
  if (values.request !== undefined) await playRequest(values.request);
  else if (values.replay !== undefined) await playSequence(modes, values.replay);
  else {
    if (requests > 0) await playRequests(seed, requests);
    if (minutes > 0) await playSequences(modes, minutes);
  }
} catch (error) {
  console.error(error instanceof Error ? (error.cause ?? error) : error);
  process.exitCode = 1;
}
for (const line of run.end()) {
  console.error(`Left behind: ${line}`);
  process.exitCode = 1;
}
