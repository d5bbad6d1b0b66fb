import { type Call, REQUEST_HEADER } from './call.ts';

/** A name that isn't UTF-8 can't be that of an entry. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The names that stand behind a request's header and `struct` bytes, each ended by a NUL. A name that has no end or
 * isn't UTF-8 is undefined.
 */
export function namesIn(call: Call, struct = 0): (string | undefined)[] {
  const names = [];
  let start = REQUEST_HEADER + struct;
  while (start < call.header.len) {
    const bytes = call.request.subarray(start, call.header.len);
    const end = bytes.indexOf(0);
    names.push(end < 0 ? undefined : decode(bytes.subarray(0, end)));
    start += end < 0 ? bytes.length : end + 1;
  }
  return names;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
