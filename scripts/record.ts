import { writeFileSync } from 'node:fs';
import { record } from '../test/bytes/record.ts';
import { RECORDING, requestsIn } from '../test/bytes/recording.ts';
import { joinRun, startRun } from '../test/support/run.ts';

/** npm run record: records a session of real clients anew, which `npm test` replays and `npm run fuzz` starts from. */
const run = startRun();
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
