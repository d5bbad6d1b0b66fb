/** How long a call may take when nothing is said, in milliseconds. */
export const DEFAULT_TIMEOUT = 5000;
