/** A file in RAM that its program reads and writes too: echo hello >mnt/notes; cat mnt/words; echo 0 >mnt/size */
import { mount, procCreate, procCreateSingle, procRoot, RustProcRamFile, simpleWriteToBuffer } from 'ramproc';

const notes = RustProcRamFile.init(null, { name: 'notes', maxSize: 1 << 20 });
notes.writeAt(0, 'made inside\n');

procCreateSingle('words', 0o444, null, () => {
  const text = new TextDecoder().decode(notes.readAt(0, notes.size));
  return `${text.split(/\s+/).filter(Boolean).length}\n`;
});
procCreate('append', 0o200, null, {
  write: (_file, from) => notes.writeAt(notes.size, from.readAll()),
});
procCreate('size', 0o200, null, {
  write: (_file, from) => notes.truncate(Number(simpleWriteToBuffer(from))),
});
await mount(procRoot, process.argv[2] ?? 'mnt');
