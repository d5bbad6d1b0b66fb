import type { Step } from '../random/step.ts';

/** A kind of mount. */
export interface Kind {
  readonly name: string;
  /** Those of `ramproc mount`. */
  readonly options: readonly string[];
  /** Calls that answer otherwise than on tmpfs; why is in test/conformance/differences.ts. */
  readonly lacks: readonly Step['call'][];
}

export const kinds: readonly Kind[] = [
  { name: 'direct', options: [], lacks: [] },
  { name: 'cached', options: ['--io', 'cached'], lacks: [] },
  { name: 'passthrough', options: ['--io', 'passthrough'], lacks: [] },
  { name: 'libfuse', options: ['--transport', 'libfuse'], lacks: ['fallocate', 'mmapWrite'] },
];
