import { chmodSync, statSync } from 'node:fs';

const DEVICE = '/dev/fuse';

/** The mode from before, and how many tests of this process need another one now. */
let before: number | undefined;
let users = 0;

/** Gives /dev/fuse another mode. Disposing the answer puts it back, once nobody needs another one. */
function changeMode(mode: number): Disposable {
  before ??= statSync(DEVICE).mode & 0o7777;
  users++;
  chmodSync(DEVICE, mode);
  return {
    [Symbol.dispose]() {
      if (--users > 0 || before === undefined) return;
      chmodSync(DEVICE, before);
      before = undefined;
    },
  };
}

/** Lets every user open /dev/fuse, as ordinary distributions do. Disposing the answer puts its mode back. */
export function openDeviceToAll(): Disposable {
  return changeMode(0o666);
}

/** Lets root alone open /dev/fuse, as in many containers. Disposing the answer puts its mode back. */
export function closeDeviceToOthers(): Disposable {
  return changeMode(0o600);
}
