/**
 * A fuse-native server as its README would have one write it.
 *
 * Usage: node fuse-native-plain.js DIR. Serves DIR/file until it is ended.
 */
import { ramFile } from './fuse-native-file.js';
import { Fuse } from './fuse-native-module.js';

new Fuse(process.argv[2], ramFile()).mount((error) => {
  if (error) throw error;
});
