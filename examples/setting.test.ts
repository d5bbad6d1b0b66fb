/** A test of a file, without a mount, root or /dev/fuse: node --test */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Errno, ProcDirEntry, procCreateSingle } from 'ramproc';
import { openEntry } from 'ramproc/testing';

const root = ProcDirEntry.root();
let level = 3;
const store = (text: string) => {
  if (!/^[0-7]\n?$/.test(text)) throw new Errno('EINVAL');
  level = Number(text);
};
procCreateSingle('level', 0o644, root, () => `${level}\n`, store);

test('a level is shown and set', async () => {
  await using file = await openEntry(root, 'level');
  await file.write('5\n');
  await file.lseek(0);
  assert.equal(await file.text(), '5\n');
  await assert.rejects(file.writeAt(0, '9\n'), { code: 'EINVAL' });
});

test('nobody else may set it', async () => {
  await assert.rejects(openEntry(root, 'level', { uid: 1000, gid: 1000, flags: 1 }), { code: 'EACCES' });
});
