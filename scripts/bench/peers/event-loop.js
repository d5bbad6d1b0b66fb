/**
 * A program whose handlers run on its event loop, as the README teaches it: one growing file in RAM, and a file whose text is made when
 * somebody opens it.
 *
 * Usage: node event-loop.js DIR, or for handlers that are async: node event-loop.js --async DIR. Serves DIR/file and DIR/single until DIR
 * is unmounted.
 */
import { mount, procCreate, procCreateSingle, procRoot, Whence } from 'ramproc';

const SMALLEST = 1 << 16;

let data = Buffer.alloc(SMALLEST);
let size = 0;
let changed = now();

function now() {
  const ms = Date.now();
  return { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1e6 };
}

function resize(wanted) {
  if (wanted > data.length) {
    const bigger = Buffer.alloc(Math.max(wanted, data.length * 2));
    data.copy(bigger, 0, 0, size);
    data = bigger;
  } else if (wanted < size) {
    data.fill(0, wanted, size);
    if (wanted === 0) data = Buffer.alloc(SMALLEST);
  }
  size = wanted;
  changed = now();
}

function read(_file, to, offset) {
  const end = Math.min(size, offset + to.left);
  if (offset < end) to.write(data.subarray(offset, end));
}

function write(_file, from, offset) {
  const end = offset + from.left;
  if (end > size) resize(end);
  from.read(data.subarray(offset, end));
}

const isAsync = process.argv.includes('--async');
procCreate('file', 0o666, null, {
  read: isAsync ? async (...call) => read(...call) : read,
  write: isAsync ? async (...call) => write(...call) : write,
  truncate: resize,
  // Without one nobody may seek. Only questions for data and holes come here: it is all data.
  lseek: (_file, offset, whence) => (whence === Whence.SeekHole ? size : offset),
  getattr: () => ({
    mode: 0o666,
    uid: process.getuid(),
    gid: process.getgid(),
    size,
    blocks: Math.ceil(size / 512),
    blksize: 4096,
    atime: changed,
    mtime: changed,
    ctime: changed,
  }),
});
procCreateSingle('single', 0o444, null, () => `${process.uptime()}\n`);
await mount(procRoot, process.argv.at(-1));
