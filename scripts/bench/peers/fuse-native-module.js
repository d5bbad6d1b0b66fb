import { createRequire } from 'node:module';
import koffi from 'koffi';

const require = createRequire(import.meta.url);

// fuse-native's prebuilt binding wants libfuse.so.2. The copy in its own dependency has that name, and once it is loaded
// the dynamic linker looks no further: so it loads on a machine without libfuse 2, and without install scripts.
koffi.load(require('fuse-shared-library').lib, { global: true });

export const Fuse = require('fuse-native');
