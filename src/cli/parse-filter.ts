import { Opcode } from '../abi/fuse.ts';
import { quote } from '../text/quote.ts';
import type { TraceFilter } from '../transport/tracers.ts';
import { parsePath } from './parse.ts';

/** What libfuse calls otherwise than the kernel. */
const OF_LIBFUSE = ['FGETATTR', 'TRUNCATE', 'FTRUNCATE', 'UTIMENS', 'CHMOD', 'CHOWN'];

const operations = [...Object.keys(Opcode), ...OF_LIBFUSE];

/** What is traced, as one more `--filter` has it: a path, which may have each character; or words with commas between them. */
export function parseFilter(text: string, before: TraceFilter = {}): TraceFilter {
  if (!text.startsWith('/')) return text.split(',').reduce(withWord, before);
  if (before.path !== undefined) throw new Error('There can be one path, a file or a directory.');
  const path = parsePath(text).replace(/(?<=.)\/+$/, '');
  return { ...before, path };
}

function withWord(filter: TraceFilter, word: string): TraceFilter {
  if (word === 'failed') return { ...filter, failed: true };
  const operation = word.toUpperCase();
  if (operations.includes(operation))
    return { ...filter, operations: [...(filter.operations ?? []), operation] };
  const what =
    'operations such as OPEN,READ,WRITE, "failed", or a path that begins with "/", that of a file in the directory';
  throw new Error(`It must be ${what}; ${quote(word)} is none of these.`);
}
