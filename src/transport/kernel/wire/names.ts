import { type Call, REQUEST_HEADER } from './call.ts';

/** A name that isn't UTF-8 can't be that of an entry. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The names that stand behind a request's header and `struct` bytes, each ended by a NUL. A name that has no end or
 * isn't UTF-8 is undefined. One at a time: a megabyte of NULs is a million names, and nobody wants more than two.
 */
export function* namesIn(call: Call, struct = 0): Generator<string | undefined> {
  let start = REQUEST_HEADER + struct;
  while (start < call.header.len) {
    const bytes = call.request.subarray(start, call.header.len);
    const end = bytes.indexOf(0);
    yield end < 0 ? undefined : decode(bytes.subarray(0, end));
    start += end < 0 ? bytes.length : end + 1;
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
