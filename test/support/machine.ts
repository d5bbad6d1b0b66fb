import { closeSync, openSync } from 'node:fs';

/** Tests that mount do so for real, and nothing of that is skipped: a machine that can't is told why, in one sentence. */
export function checkMachine(): void {
  if (process.geteuid?.() !== 0) {
    throw new Error(
      'These tests mount a tmpfs to compare with and act as several users, so they need root: run them with sudo, or "npm run test:unit", which needs nothing.',
    );
  }
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `These tests mount for real, and this machine has no usable /dev/fuse (${reason}): run them on one that has, or "modprobe fuse".`,
    );
  }
}
