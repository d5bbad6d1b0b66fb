import { EFBIG, EINVAL, EIO, ENOSPC, ENXIO, Errno } from '../sys/errno.ts';
import type { Complaints } from './complaints.ts';
import { isElsewhere } from './find.ts';
import { EngineError } from './wire.ts';

/** What our scripts refuse a call with that is the caller's own affair. */
const ERRNOS: Readonly<Record<string, number>> = { ENOSPC, EFBIG, ENXIO, EINVAL };

/** The errno that an engine's answer means, which a person is told of; undefined when the call is to be made again over another connection. */
export function refusal(error: unknown, complaints: Complaints): Errno | undefined {
  if (!(error instanceof EngineError)) return undefined;
  if (error.code === 'RAMPROC') return ofScript(error.rest, complaints);
  if (isElsewhere(error)) return undefined;
  if (error.code === 'OOM') {
    complaints.isFull();
    return new Errno(ENOSPC);
  }
  complaints.refuses(error.message);
  return new Errno(EIO);
}

function ofScript(why: string, complaints: Complaints): Errno | undefined {
  const [word = '', detail = ''] = why.split(' ');
  // An older connection's, or the file isn't there: the next hello finds out.
  if (word === 'STALE' || word === 'GONE') return undefined;
  if (word === 'BROKEN') complaints.hasLost(detail);
  return new Errno(ERRNOS[word] ?? EIO);
}
