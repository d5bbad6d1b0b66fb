import { writeFileSync } from 'node:fs';
import { checkMachine } from '../support/machine.ts';
import { joinRun, startRun } from '../support/run.ts';
import { record } from './record.ts';
import { RECORDING, requestsIn } from './recording.ts';

/** npm run record: records a session of real clients anew, which `npm test` replays and `npm run fuzz` starts from. */
checkMachine();
const run = await startRun();
joinRun(run.dir);
try {
  const recording = await record();
  writeFileSync(RECORDING, recording);
  console.log(`${requestsIn(recording).length} requests in ${recording.length} bytes.`);
} finally {
  for (const line of run.end()) {
    console.error(`Left behind: ${line}`);
    process.exitCode = 1;
  }
}
