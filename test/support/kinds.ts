import { hasUring } from './uring.ts';

/** Each way in which a mount is served, by its name: the options of `ramproc mount` for it. */
export const kinds: readonly (readonly [name: string, options: readonly string[]])[] = [
  ['direct', []],
  ...(hasUring ? ([['uring', ['--channel', 'uring']]] as const) : []),
  ['cached', ['--io', 'cached']],
  ['passthrough', ['--io', 'passthrough']],
  ['libfuse', ['--transport', 'libfuse']],
];
