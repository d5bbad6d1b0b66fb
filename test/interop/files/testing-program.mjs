/** An author's unit test of a handler: no mount, no privileges, no /dev/fuse. Run by anybody. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Errno, ProcDirEntry, procCreateSingle } from 'ramproc';
import { openEntry } from 'ramproc/testing';

const root = ProcDirEntry.root();
let level = 3;
const show = () => `${level}\n`;
procCreateSingle('level', 0o644, root, show, (text) => {
  if (!/^[0-7]\n?$/.test(text)) throw new Errno('EINVAL');
  level = Number(text);
});

test('the level is set by its owner alone, and within its range', async () => {
  const file = await openEntry(root, 'level');
  assert.equal(await file.write('5\n'), 2);
  assert.equal(await file.text(), '');
  await file.lseek(0);
  assert.equal(await file.text(), '5\n');
  await assert.rejects(file.writeAt(0, '9'), { code: 'EINVAL' });
  await assert.rejects(openEntry(root, 'level', { uid: 1, gid: 1, flags: 1 }), { code: 'EACCES' });
  await file.close();
});
