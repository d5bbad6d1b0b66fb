import type { Case } from '../case.ts';
import { openCases } from './open.ts';

/** Every case, by what it is about. */
export const areas: Readonly<Record<string, readonly Case[]>> = {
  open: openCases,
};
