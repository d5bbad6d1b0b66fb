/**
 * The best that one can make of fuse-native: every request reaches the handlers, and as few as possible are made.
 *
 * Usage: node fuse-native-best.js DIR. Serves DIR/file until it is ended.
 */
import { ramFile } from './fuse-native-file.js';
import { Fuse } from './fuse-native-module.js';

/** libfuse 2.9's options that fuse-native has no option for: no page cache in front, and writes of 128 KiB. */
class DirectFuse extends Fuse {
  _fuseOptions() {
    return `${super._fuseOptions()},direct_io,big_writes`;
  }
}

// Without a time-out no timer is started and stopped for each request. Only this mount changes the file, so the kernel may
// keep names and attributes, which it forgets itself when a write changes them.
const options = { timeout: false, entryTimeout: 3600, attrTimeout: 3600 };

new DirectFuse(process.argv[2], ramFile(), options).mount((error) => {
  if (error) throw error;
});
