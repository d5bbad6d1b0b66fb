import { hasUring } from '../support/uring.ts';
import type { Call } from './step.ts';

/** A kind of mount. */
export interface Kind {
  readonly name: string;
  /** Those of `ramproc mount`. */
  readonly options: readonly string[];
  /** Calls that answer otherwise than on tmpfs; why is in test/conformance/differences.ts. */
  readonly lacks: readonly Call[];
  /** Whether SEEK_DATA and SEEK_HOLE find the ends of holes. */
  readonly holes: boolean;
}

export const kinds: readonly Kind[] = [
  ...['direct', 'cached', 'passthrough'].map((io) => ({
    name: io,
    options: ['--io', io],
    lacks: [],
    holes: true,
  })),
  ...(hasUring ? [{ name: 'uring', options: ['--channel', 'uring'], lacks: [], holes: true }] : []),
  {
    name: 'libfuse',
    options: ['--transport', 'libfuse'],
    lacks: ['fallocate', 'mmapWrite'],
    holes: false,
  },
];

/** Throws when there is none of that name. */
export function kindOf(name: string): Kind {
  const kind = kinds.find((known) => known.name === name);
  if (kind !== undefined) return kind;
  throw new Error(
    `There is no kind of mount "${name}", only ${kinds.map((known) => known.name).join(', ')}.`,
  );
}
