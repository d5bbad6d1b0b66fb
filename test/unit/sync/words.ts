/** What the memory that the threads of the mutex test share holds, by index. */
export const Word = { COUNTER: 0, INSIDE: 1, START: 2, TAKEN: 3 } as const;
export const WORDS = 4;
