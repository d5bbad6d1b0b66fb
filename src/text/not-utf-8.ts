/** What Node makes of bytes that aren't UTF-8. */
export const NOT_UTF_8 = '\uFFFD';
