/** What an exception says: anything can be thrown. */
export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
