import { parseArgs } from 'node:util';
import { ioModes } from '../../src/ram-file/defaults.ts';
import { checkMachine } from '../support/machine.ts';
import { joinRun, startRun } from '../support/run.ts';
import { seedFrom } from '../support/seed.ts';
import { playRequest, playRequests } from './requests.ts';
import { playSequence, playSequences } from './sequences.ts';

/**
 * npm run fuzz -- [--requests N] [--seed N] [--minutes N] [--io MODE] | --request HEX | --replay SEQUENCE [--io MODE]
 *
 * First serves N hostile requests (default: 1,000,000) without a kernel. Then plays random sequences of calls on a mount
 * and on tmpfs, for N minutes (default: 1), in one I/O mode or in all of them in turn. All are made from the seed (default:
 * another each time). Or does one request or sequence that failed. Ends with status 1, and what went wrong.
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

function number(name: 'requests' | 'minutes', standard: number): number {
  const value = Number(values[name] ?? standard);
  if (value >= 0) return value;
  throw new Error(`--${name} needs a number of 0 or more, not "${values[name]}".`);
}

const requests = number('requests', 1_000_000);
const seed = seedFrom(values.seed);
const minutes = number('minutes', 1);
const modes = ioModes.filter((io) => io === (values.io ?? io));
if (modes.length === 0) throw new Error(`--io needs one of ${ioModes.join(', ')}, not "${values.io}".`);

checkMachine();
const run = await startRun();
joinRun(run.dir);
try {
  if (values.request !== undefined) await playRequest(values.request);
  else if (values.replay !== undefined) await playSequence(modes, values.replay);
  else {
    if (requests > 0) await playRequests(seed, requests);
    if (minutes > 0) await playSequences(modes, seed, minutes);
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
for (const line of run.end()) {
  console.error(`Left behind: ${line}`);
  process.exitCode = 1;
}
