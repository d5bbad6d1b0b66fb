import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fuseInHeader } from '../../src/abi/structs.ts';
import { record } from './record.ts';
import { RECORDING, requestsIn } from './recording.ts';
import { replay } from './replay.ts';

/** Without a kernel, the same requests have the same replies, to the last byte but those of the clock. */
async function expectSame(recording: Uint8Array): Promise<void> {
  const replayed = await replay(recording);
  expect(replayed).toHaveLength(requestsIn(recording).length);
  expect(replayed.map(({ request, replayed: reply }) => ({ request, reply }))).toEqual(
    replayed.map(({ request, recorded: reply }) => ({ request, reply })),
  );
}

test('a mount recorded on Linux 6.18 has the same replies today', async () => {
  await expectSame(readFileSync(RECORDING));
});

test('a mount recorded on this kernel is understood, and has the same replies without it', async () => {
  const recording = await record();
  for (const request of requestsIn(recording)) {
    const { len, total_extlen: extension } = fuseInHeader.at(new DataView(request.buffer), 0);
    // No extensions were asked for (FUSE_SECURITY_CTX, FUSE_CREATE_SUPP_GROUP), so what follows is the body alone.
    expect([len, extension]).toEqual([request.length, 0]);
  }
  await expectSame(recording);
});
