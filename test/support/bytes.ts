import { addressOf } from '../../src/sys/libc.ts';

const PAGE_SIZE = 4096;

/**
 * Zeroed memory that starts on a page, as dd(1) and cat(1) use it. A direct read or write of 1 MiB is one request only
 * from there: elsewhere it touches one page more than a request has (fuse_get_user_pages).
 */
export function alignedBuffer(length: number): Buffer {
  const bytes = Buffer.alloc(length + PAGE_SIZE);
  const over = Number(addressOf(bytes) % BigInt(PAGE_SIZE));
  const start = (PAGE_SIZE - over) % PAGE_SIZE;
  return bytes.subarray(start, start + length);
}

/** A prime number of bytes, so that no power of two is a multiple of it. */
const PERIOD = 251;
let table = Buffer.alloc(0);

/**
 * The bytes that stand at `offset` of a file in which each byte tells where it belongs; none is 0. Files of different
 * `seed`, 0 to 250, differ everywhere.
 */
export function pattern(offset: number, length: number, seed = 0): Buffer {
  const phase = (offset + seed) % PERIOD;
  if (table.length < phase + length) {
    const periods = Math.ceil((phase + length) / PERIOD);
    table = Buffer.alloc(
      periods * PERIOD,
      Uint8Array.from({ length: PERIOD }, (_, i) => i + 1),
    );
  }
  return table.subarray(phase, phase + length);
}

/** Whether all bytes are the same. */
export function isUniform(bytes: Buffer): boolean {
  return bytes.length < 2 || bytes.subarray(1).equals(bytes.subarray(0, -1));
}

/** Whether each byte, standing at `offset` and on, is that of the pattern or was never written. */
export function isPatternOrHole(bytes: Buffer, offset: number): boolean {
  const whole = pattern(offset, bytes.length);
  return bytes.equals(whole) || bytes.every((byte, i) => byte === 0 || byte === whole[i]);
}
