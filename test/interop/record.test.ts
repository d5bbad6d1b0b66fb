import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Opcode } from '../../src/abi/fuse.ts';
import { fuseInHeader } from '../../src/abi/structs.ts';
import { mountAt } from '../../src/sys/mountinfo.ts';
import { record } from '../bytes/record.ts';
import { messagesIn, requestsIn } from '../bytes/recording.ts';
import { expectSame } from '../bytes/replay.ts';
import { must } from '../support/answer.ts';
import { calls } from '../support/calls/index.ts';
import { readLog } from '../support/log.ts';
import { mount, ramproc } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';

test('--record notes each request once, whichever thread reads it', async () => {
  const recording = join(makeDir('record'), 'session');
  const times = 200;
  {
    await using mounted = await mount(['--record', recording, '--threads', '4']);
    for (let i = 0; i < times; i++) writeFileSync(mounted.file, `${i}`);
  }
  const bytes = readFileSync(recording);
  const headers = requestsIn(bytes).map((request) => fuseInHeader.at(new DataView(request.buffer), 0));
  expect(headers.filter(({ opcode }) => opcode === Opcode.WRITE)).toHaveLength(times);
  const uniques = headers.map(({ unique }) => unique);
  expect(new Set(uniques).size).toBe(uniques.length);
  // Nothing got in between a message's length and its bytes.
  for (const { bytes: message } of messagesIn(bytes)) {
    expect(new DataView(message.buffer).getUint32(0, true)).toBe(message.length);
  }
});

test('a recording is for its owner alone: it holds what the file holds', async () => {
  const recording = join(makeDir('record'), 'session');
  await using _mounted = await mount(['--record', recording]);
  expect(must(calls.stat(recording)).mode & 0o777).toBe(0o600);
});

test('a disk that is full ends the recording and not the mount', async () => {
  const log = join(makeDir('record'), 'log');
  await using mounted = await mount(['--record', '/dev/full', '--log', log]);
  writeFileSync(mounted.file, 'served all the same');
  expect(readFileSync(mounted.file, 'utf8')).toBe('served all the same');
  expect(readLog(log)).toMatch(/^ramproc: the recording ends here: .*ENOSPC/m);
});

test.each([
  ['a file that cannot be made', ['--record', '/not/there'], /Cannot record to "\/not\/there": ENOENT/],
  [
    'a transport that keeps the requests',
    ['--record', 'r', '--transport', 'libfuse'],
    /Cannot record over libfuse/,
  ],
])('%s is a message, and no mount', async (_, options, message) => {
  const dir = makeDir('record');
  const { status, stderr } = await ramproc('mount', dir, ...options);
  expect(stderr).toMatch(message);
  expect(status).toBe(32);
  expect(mountAt(dir)).toBeUndefined();
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
