import { closeSync } from 'node:fs';
import type { ProcDirEntry } from '../proc-fs/entries/entry.ts';
import type { RamFile } from '../ram-file/ram-file.ts';
import { ENOSPC, Errno } from '../sys/errno.ts';
import { connectTo } from '../sys/socket.ts';
import { quote } from '../text/quote.ts';
import type { SaveAnswer, SaveInput } from './control/messages.ts';
import type { Served } from './served.ts';

/**
 * Hands the bytes of a file to who asks, whose user is `uid`, and who writes them with rights of their own. Throws an Error with the
 * last part of a sentence.
 */
export async function handOver(
  served: Served,
  { file: name, copy }: SaveInput,
  to: string | undefined,
  uid: number,
): Promise<SaveAnswer> {
  if (served.plan.secret) throw new Error('it is a secret, of which there is to be no other copy');
  const all = served.modules.flatMap(({ changeable, file }) =>
    changeable ? [{ entry: changeable.entry, file }] : [],
  );
  const names = all.map(({ entry }) => quote(entry.name));
  const which = new Intl.ListFormat('en').format(names);
  if (name === undefined && all.length > 1) {
    throw new Error(`it has several files; say which, as in DIR/${all[0]?.entry.name}: it has ${which}`);
  }
  const found = name === undefined ? all[0] : all.find(({ entry }) => entry.name === name);
  if (found === undefined) {
    throw new Error(
      name === undefined ? 'it has no RAM file' : `it has no RAM file ${quote(name)}; it has ${which}`,
    );
  }
  if (found.file !== undefined) return ofRamFile(found.entry, found.file, copy, to, uid);
  const attr = await served.shared?.attr();
  const { mode = 0, size, mtime, ctime } = attr ?? {};
  return {
    name: found.entry.name,
    mode,
    stamp: JSON.stringify([size, mtime, ctime]),
    copies: false,
    sent: false,
  };
}

function ofRamFile(
  entry: ProcDirEntry,
  file: RamFile,
  copy: boolean,
  to: string | undefined,
  uid: number,
): SaveAnswer {
  // What clients have stored in mappings comes with it.
  if (!file.isLent) entry.changed();
  const { fd, stamp } = file.readable;
  if (to !== undefined) {
    const sent = copy ? copyOf(file) : fd;
    try {
      send(sent, to, uid);
    } finally {
      if (copy) closeSync(sent);
    }
  }
  return { name: entry.name, mode: file.mode, stamp, copies: !file.isLent, sent: to !== undefined };
}

function copyOf(file: RamFile): number {
  try {
    return file.copyAll();
  } catch (error) {
    if (!(error instanceof Errno && error.errno === ENOSPC)) throw error;
    throw new Error(
      'somebody writes it all the time, and there is no memory for a copy of one moment; free some, or end that',
      { cause: error },
    );
  }
}

function send(fd: number, to: string, uid: number): void {
  using socket = connectTo(to);
  if (socket.peer.uid !== uid) throw new Error('somebody else listens for it; try again');
  socket.sendDescriptor(fd);
}
