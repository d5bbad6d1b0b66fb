import { chmodSync, statSync } from 'node:fs';

const DEVICE = '/dev/fuse';

/** Gives /dev/fuse another mode. Disposing the answer puts it back. */
function changeMode(mode: number): Disposable {
  const before = statSync(DEVICE).mode & 0o7777;
  chmodSync(DEVICE, mode);
  return { [Symbol.dispose]: () => chmodSync(DEVICE, before) };
}

/** Lets every user open /dev/fuse, as ordinary distributions do. Disposing the answer puts its mode back. */
export function openDeviceToAll(): Disposable {
  return changeMode(0o666);
}

/** Lets root alone open /dev/fuse, as in many containers. Disposing the answer puts its mode back. */
export function closeDeviceToOthers(): Disposable {
  return changeMode(0o600);
}
