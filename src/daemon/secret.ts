import prettyBytes from 'pretty-bytes';
import { MountError } from '../mount/mount-error.ts';
import { pageDown } from '../ram-file/extents.ts';
import { WINDOW_SIZE } from '../ram-file/mapped-pages.ts';
import { lockedBeside } from '../ram-file/ram-buffer.ts';
import { Capability, hasCapability } from '../sys/capabilities.ts';
import { notDumpable } from '../sys/prctl.ts';
import { getrlimit, RLIMIT_CORE, RLIMIT_MEMLOCK, setrlimit } from '../sys/rlimit.ts';
import type { Settings } from './settings.ts';

/** A secret's mode, for its owner alone. */
const SECRET_MODE = 0o600;
const OTHERS = 0o077;

/** What is to be of a secret's settings. */
export interface SecretSettings {
  readonly mode: number;
  readonly maxSize: number;
  readonly secret: { readonly threads: number };
}

/**
 * Fills in the settings of `--secret`, of which `maxSize` is the default for any file, and has the kernel write no core of
 * this process. Throws a MountError for settings that leave copies which nobody could lock or overwrite.
 */
export function keepSecret(
  settings: Settings & { readonly threads: number },
  maxSize: number,
): SecretSettings {
  const { mode = SECRET_MODE, io = 'direct', transport = 'kernel', threads } = settings;
  if (mode & OTHERS)
    throw refusal(`--mode 0${mode.toString(8)}`, 'a secret is for its owner alone, such as with 0600');
  if (io === 'cached')
    throw refusal('--io cached', 'the page cache would keep copies that cannot be overwritten');
  if (transport === 'libfuse')
    throw refusal('--transport libfuse', 'libfuse keeps copies that cannot be overwritten');
  if (settings.record !== undefined) throw refusal('--record', 'it would write the secret to a file');
  const most = io === 'passthrough' ? Number.POSITIVE_INFINITY : lockable(threads);
  const wanted = settings.maxSize ?? Math.min(maxSize, most);
  if (wanted > most || most <= 0) throw tooMuch(settings.maxSize, most);
  setrlimit(RLIMIT_CORE, 0);
  notDumpable();
  return { mode, maxSize: wanted, secret: { threads } };
}

/** How many bytes of a secret this process may lock: whole pages, since that is what a secret takes. */
function lockable(threads: number): number {
  if (hasCapability(Capability.IPC_LOCK)) return WINDOW_SIZE;
  return Math.min(WINDOW_SIZE, pageDown(getrlimit(RLIMIT_MEMLOCK) - lockedBeside(threads)));
}

function refusal(option: string, why: string): MountError {
  return new MountError(`Cannot mount with "--secret" and "${option}": ${why}.`);
}

function tooMuch(maxSize: number | undefined, most: number): MountError {
  const wanted = maxSize === undefined ? 'a secret' : `a secret with --max-size ${size(maxSize)}`;
  if (most === WINDOW_SIZE) {
    return new MountError(
      `Cannot mount ${wanted}: no more than ${size(most)} of it can be mapped; lower --max-size.`,
    );
  }
  const limit = size(getrlimit(RLIMIT_MEMLOCK));
  return new MountError(
    `Cannot mount ${wanted}: RLIMIT_MEMLOCK lets this process lock ${limit}, which leaves ${size(Math.max(most, 0))} for the data; lower --max-size or raise "ulimit -l".`,
  );
}

function size(bytes: number): string {
  return prettyBytes(bytes, { binary: true });
}
