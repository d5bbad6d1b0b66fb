import { expect, test } from 'vitest';
import { ramproc } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';
import { hasUring } from '../support/uring.ts';
import { playOn } from './play.ts';

if (hasUring) playOn('uring');
else {
  test('this kernel has no io_uring for FUSE, and who asks for it is told so', async () => {
    const { status, stderr } = await ramproc('mount', makeDir('uring'), '-o', 'channel=uring');
    expect(stderr).toMatch(/Cannot mount with io_uring: the kernel offers none to FUSE/);
    expect(status).toBe(32);
  });
}
