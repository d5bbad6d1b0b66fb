import { chmodSync, chownSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, failed } from '../support/answer.ts';
import { calls } from '../support/calls/index.ts';
import { Client } from '../support/client.ts';
import { mount, ramproc } from '../support/mount.ts';
import { mountAsNobody, NOBODY, ramprocAsNobody } from '../support/nobody.ts';
import { Tmpfs } from '../support/tmpfs.ts';

const { R_OK, W_OK, X_OK, O_RDONLY, O_WRONLY, O_RDWR, O_TRUNC } = constants;
const LONG_AGO = { sec: 1000, nsec: 0 };

/** Who else there is; the number of a user that has neither the file nor its group. */
const OTHER = 1000;

const kinds: [name: string, options: string[]][] = [
  ['direct', []],
  ['cached', ['--io', 'cached']],
  ['passthrough', ['--io', 'passthrough']],
  ['libfuse', ['--transport', 'libfuse']],
];

/** Who else may ask something is up to the transport, and not to who reads the bytes. */
const transports = kinds.filter(([name]) => name === 'direct' || name === 'libfuse');

/** The first is what the mount was told. */
const owners: { mode: number; uid: number; gid: number }[] = [
  { mode: 0o640, uid: 0, gid: NOBODY },
  { mode: 0o600, uid: 0, gid: 0 },
  { mode: 0o602, uid: 0, gid: 0 },
  { mode: 0o604, uid: 0, gid: NOBODY },
  { mode: 0o751, uid: OTHER, gid: NOBODY },
  { mode: 0o077, uid: NOBODY, gid: 0 },
  { mode: 0o400, uid: NOBODY, gid: NOBODY },
  { mode: 0o666, uid: OTHER, gid: OTHER },
  { mode: 0o777, uid: NOBODY, gid: OTHER },
];

let nobody: Client;
beforeAll(async () => {
  nobody = await Client.start(NOBODY);
});
afterAll(() => nobody[Symbol.asyncDispose]());

/** The name of an error, or that there was none. */
function outcome(answer: Answer<unknown>): string {
  return failed(answer) ? answer : 'done';
}

/** How calls of nobody on a file and its directory end. Those that change an attribute come last. */
async function outcomes(file: string, dir: string): Promise<Record<string, string>> {
  const { sys } = nobody;
  const ended: Record<string, string> = {};
  const note = (what: string, answer: Answer<unknown>) => {
    ended[what] = outcome(answer);
  };
  for (const [name, flags] of Object.entries({
    O_RDONLY,
    O_WRONLY,
    O_RDWR,
    'O_WRONLY | O_TRUNC': O_WRONLY | O_TRUNC,
  })) {
    const fd = await sys.open(file, flags);
    note(`open for ${name}`, fd);
    if (!failed(fd)) await sys.close(fd);
  }
  for (const [name, mode] of Object.entries({ R_OK, W_OK, X_OK }))
    note(`access ${name}`, await sys.access(file, mode));
  note('stat', await sys.stat(file));
  note('readdir', await sys.readdir(dir));
  note('truncate', await sys.truncate(file, 0));
  note('touch', await sys.touch(file));
  note('utimensat', await sys.utimensat(file, LONG_AGO, LONG_AGO));
  note('chown', await sys.chown(file, NOBODY, -1));
  note('chmod', await sys.chmod(file, 0o600));
  return ended;
}

describe.each(kinds)('a mount for all users, %s', (_, options) => {
  test('lets another user do what mode and owner let it do to a file of tmpfs', async () => {
    const [told = { mode: 0, uid: 0, gid: 0 }] = owners;
    const flags = ['--mode', told.mode.toString(8), '--uid', `${told.uid}`, '--gid', `${told.gid}`];
    await using ours = await mount(['--allow-other', ...flags, ...options]);
    using tmpfs = new Tmpfs(1 << 20);
    const theirs = join(tmpfs.dir, 'file');
    writeFileSync(theirs, '');
    expect(calls.stat(ours.file)).toMatchObject({ ...told, mode: constants.S_IFREG | told.mode });
    const seen = new Set<string>();
    for (const { mode, uid, gid } of owners) {
      for (const file of [theirs, ours.file]) {
        chownSync(file, uid, gid);
        chmodSync(file, mode);
      }
      const name = `mode 0${mode.toString(8)} of ${uid}:${gid}`;
      const [got, expected] = [await outcomes(ours.file, ours.dir), await outcomes(theirs, tmpfs.dir)];
      expect({ name, ...got }).toEqual({ name, ...expected });
      for (const how of Object.values(expected)) seen.add(how);
    }
    expect(seen).toEqual(new Set(['done', 'EACCES', 'EPERM']));
  });
});

describe.each(kinds)('a mount for its own user, %s', (_, options) => {
  test('answers another user with EACCES, whatever the mode', async () => {
    await using ours = await mount(['--mode', '777', ...options]);
    const ended = await outcomes(ours.file, ours.dir);
    expect(new Set(Object.values(ended))).toEqual(new Set(['EACCES']));
    expect(outcome(await nobody.sys.stat(ours.dir))).toBe('EACCES');
  });
});

describe.each(transports)('a mount of an ordinary user, %s', (_, options) => {
  test('answers that user, and root with EACCES', async () => {
    await using theirs = await mountAsNobody(options);
    expect(await outcomes(theirs.file, theirs.dir)).toMatchObject({
      'open for O_RDWR': 'done',
      chmod: 'done',
    });
    expect(calls.open(theirs.file, O_RDONLY)).toBe('EACCES');
    expect(calls.stat(theirs.file)).toBe('EACCES');
    expect(calls.readdir(theirs.dir)).toBe('EACCES');
  });
});

describe.each(transports)('a mount for all users, %s', (_, options) => {
  test('keeps its data from another user who asks for it to be taken', async () => {
    await using ours = await mount(['--allow-other', ...options]);
    writeFileSync(ours.file, 'data');
    const { status, stderr } = await ramprocAsNobody('unmount', '--force', ours.dir);
    expect({ status, stderr }).toEqual({
      status: 32,
      stderr: expect.stringMatching(/^ramproc: .* only that user and root/),
    });
    // The command has said so itself; what the daemon says is in control.test.ts.
    expect(readFileSync(ours.file, 'utf8')).toBe('data');
    expect((await ramproc('unmount', ours.dir)).status).toBe(0);
  });
});
