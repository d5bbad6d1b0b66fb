import type { Place } from '../mount/elsewhere.ts';
import { quote } from '../text/quote.ts';

/** What became of a mount that is unmounted here. */
export interface Unmounted {
  /** The directory, absolute. */
  readonly dir: string;
  /**
   * - `ended`: nothing of it is left; its memory is given back, and that of a secret overwritten before.
   * - `ending`: the same, but for its memory, which is being given back (--no-wait).
   * - `open`: who has it open keeps it (--lazy).
   * - `elsewhere`: it lives on where it is mounted elsewhere: in another mount namespace, or by a bind mount.
   * - `taken`: its data is gone, and who has it open or mounted elsewhere finds nothing in it (--force, or a secret).
   * - `unsaved`: its data could not be saved; its daemon has it still, and tries again.
   * - `unknown`: its daemon can't be asked, and may have the data still.
   */
  readonly status: 'ended' | 'ending' | 'open' | 'elsewhere' | 'taken' | 'unsaved' | 'unknown';
  /** The process that serves it, where it can be seen. */
  readonly pid?: number | undefined;
  /** Where else it is mounted, as far as that can be seen. */
  readonly elsewhere?: readonly Omit<Place, 'id'>[] | undefined;
  /** Why it isn't known, or saved, as the last part of a sentence. */
  readonly reason?: string | undefined;
}

/** What a person should know of it, or undefined when all is as it should be. */
export function sentence({ dir, status, pid, elsewhere = [], reason }: Unmounted): string | undefined {
  const places = elsewhere.map(placeOf).join(', ') || 'in another mount namespace, or by a bind mount';
  switch (status) {
    case 'elsewhere': {
      const end = pid === undefined ? '' : `, or end its daemon with "kill ${pid}"`;
      return `${quote(dir)} is unmounted here, and lives on with its data elsewhere: ${places}; unmount it there too${end}.`;
    }
    case 'taken':
      return elsewhere.length === 0
        ? undefined
        : `${quote(dir)} is unmounted here, and its data is gone; it is still mounted elsewhere: ${places}.`;
    case 'unsaved':
      return `${quote(dir)} is unmounted. ${reason}.`;
    case 'unknown': {
      const too = elsewhere.length === 0 ? '' : `; it is mounted elsewhere too: ${places}`;
      return `${quote(dir)} is unmounted, but its data may be there still: ${reason}${too}.`;
    }
    default:
      return undefined;
  }
}

function placeOf({ dir, pid, command }: Omit<Place, 'id'>): string {
  return pid === undefined
    ? `on ${quote(dir)}`
    : `on ${quote(dir)} in the mount namespace of process ${pid} (${command})`;
}
