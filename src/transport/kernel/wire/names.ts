import type { Call } from './call.ts';

/** A name that isn't UTF-8 can't be that of an entry. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The names that stand `offset` bytes into a request's body, each ended by a NUL. A name that has no end or
 * isn't UTF-8 is undefined. One at a time: a megabyte of NULs is a million names, and nobody wants more than two.
 */
export function* namesIn(call: Call, offset: number): Generator<string | undefined> {
  let rest = call.inputBytes(offset);
  while (rest.length > 0) {
    const end = rest.indexOf(0);
    yield end < 0 ? undefined : decode(rest.subarray(0, end));
    rest = end < 0 ? rest.subarray(rest.length) : rest.subarray(end + 1);
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
