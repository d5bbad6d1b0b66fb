import { UserSliceReader } from '../../../src/proc-fs/user-slice.ts';
import { RamBuffer } from '../../../src/ram-file/ram-buffer.ts';
import { RamFile, type RamFileState } from '../../../src/ram-file/ram-file.ts';
import { byHand } from './by-hand.ts';
import { layers } from './layers.ts';
import { FILE_SIZE, readRequest, type Server } from './request.ts';

/** A READ of a file's bytes, through the layers and by hand. */
export interface Ways {
  /** Where the bytes are copied from. */
  readonly what: string;
  readonly layers: Server;
  readonly byHand: Server;
  /** What was answered last. */
  readonly reply: Uint8Array;
}

/**
 * First as a mount in direct mode copies, then as all else does. One after the other: V8 takes what a function closes
 * over for constants only as long as there is one of it, and the other code makes it forget what it knew.
 */
export function* ways(): Generator<Ways, void> {
  const buffer = RamBuffer.create({ name: 'abstraction', maxSize: FILE_SIZE });
  const file = RamFile.create(buffer, 0o666, 0, 0);
  try {
    file.write(null, new UserSliceReader().place(Buffer.alloc(FILE_SIZE, 'ramproc'), 0, FILE_SIZE), 0);
    const { shared, scratch: scratchOf } = file.ops().placement;
    const state = shared?.state as RamFileState;
    const scratch = scratchOf?.(0);
    if (scratch === undefined) throw new Error('A file in direct mode has scratch memory.');
    const call = readRequest(scratch);
    const { reply } = call;
    yield {
      what: 'copied in the mapping',
      layers: layers(call, file),
      byHand: byHand(call, state.mutex, state.buffer),
      reply,
    };
    const unmapped = { ...state, buffer: { ...state.buffer, place: 'lent' as const, tmpfs: -1 } };
    yield {
      what: 'copied by pread(2)',
      layers: layers(call, new RamFile(unmapped)),
      byHand: byHand(call, unmapped.mutex, unmapped.buffer),
      reply,
    };
  } finally {
    file.teardown();
  }
}
