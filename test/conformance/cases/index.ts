import type { Case } from '../case.ts';
import { attributeCases } from './attributes.ts';
import { concurrencyCases } from './concurrency.ts';
import { copyRangeCases } from './copy-range.ts';
import { directoryCases } from './directory.ts';
import { fallocateCases } from './fallocate.ts';
import { limitCases } from './limits.ts';
import { lockCases, waitCases } from './locks.ts';
import { lseekCases } from './lseek.ts';
import { mmapCases } from './mmap.ts';
import { openCases } from './open.ts';
import { readWriteCases } from './read-write.ts';
import { sparseCases } from './sparse.ts';
import { teardownCases } from './teardown.ts';
import { toolCases } from './tools.ts';
import { truncateCases } from './truncate.ts';

const areas: Readonly<Record<string, readonly Case[]>> = {
  open: openCases,
  'read and write': readWriteCases,
  truncate: truncateCases,
  sparse: sparseCases,
  lseek: lseekCases,
  fallocate: fallocateCases,
  copy_file_range: copyRangeCases,
  mmap: mmapCases,
  limits: limitCases,
  attributes: attributeCases,
  locks: lockCases,
  waiting: waitCases,
  directory: directoryCases,
  tools: toolCases,
  concurrency: concurrencyCases,
  teardown: teardownCases,
};

/** Every case, under a name of its own that starts with what it is about. */
export const cases: readonly Case[] = Object.entries(areas).flatMap(([area, own]) =>
  own.map((one) => ({ ...one, name: `${area}: ${one.name}` })),
);
