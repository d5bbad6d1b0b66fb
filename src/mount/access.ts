import { accessSync, constants, openSync } from 'node:fs';
import { ENODEV, ENOENT, Errno } from '../sys/errno.ts';
import { reason } from '../text/reason.ts';
import { lacks } from './lacks.ts';
import { MountError } from './mount-error.ts';

export const DEVICE = '/dev/fuse';

/** Whether this process may mount and unmount without fusermount3's help. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Opens the FUSE device, for a connection of its own. Throws a MountError. */
export function openFuse(): number {
  try {
    return openSync(DEVICE, constants.O_RDWR);
  } catch (error) {
    throw deviceError(error);
  }
}

/** Throws a MountError when this process may not open the FUSE device. */
export function checkDevice(): void {
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw deviceError(error);
  }
}

function deviceError(error: unknown): MountError {
  const missing = Errno.from(error);
  const remedy =
    missing instanceof Errno && (missing.errno === ENOENT || missing.errno === ENODEV)
      ? lacks.device.remedy
      : lacks.deviceAccess.remedy;
  return new MountError(`Cannot open ${DEVICE}: ${reason(error, remedy)}.`, { cause: error });
}
