import { readlinkSync, statSync } from 'node:fs';
import type { Place } from './control/messages.ts';

/** Where this process finds files. */
export function ownPlace(): Place {
  const { dev, ino } = statSync('/');
  return { namespace: readlinkSync('/proc/self/ns/mnt'), root: `${dev}:${ino}` };
}

/** Throws the last part of a sentence when whoever asks finds other files by the same paths than this process. */
export function checkPlace(place: unknown): void {
  const own = ownPlace();
  const { namespace, root }: Partial<Place> = Object(place);
  if (namespace === own.namespace && root === own.root) return;
  throw new Error(
    `its daemon is in another mount namespace or has another root directory, and would not find the same files; enter that with "nsenter --mount=/proc/${process.pid}/ns/mnt --root=/proc/${process.pid}/root" first`,
  );
}
