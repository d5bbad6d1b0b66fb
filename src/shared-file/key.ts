/** Throws an Error with a sentence that says what it must be. */
export function checkKey(name: string): string {
  if (/^[^{}\p{Cc}]+$/u.test(name) && Buffer.byteLength(name) <= 200) return name;
  throw new Error('It must have 1 to 200 bytes, no braces and no control characters.');
}
