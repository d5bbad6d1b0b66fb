import type { Call } from './call.ts';

/** What a channel says when it is asked for the next request and has none. */
export const Next = {
  /** There is none now, and the channel is one that doesn't wait; or it was told to stop waiting. */
  NOTHING: 0,
  /** There will be none any more: the file system is unmounted. */
  UNMOUNTED: 1,
} as const;

export type Next = (typeof Next)[keyof typeof Next];

/** Where requests come from and replies go: the kernel, or whoever stands in for it. */
export interface Channel {
  /**
   * The call that holds the next request: at least its whole header, with a number that can be answered. It is the one that was given, or
   * one of the channel's own, where requests lie in memory that the kernel knows; then one is answered, or left to others, before the next
   * is taken.
   */
  next(call: Call): Call | Next;

  /**
   * Answers the request in `call`: with the length of the body that its reply has, a negative error number, or NO_REPLY. Never
   * throws: a reply that isn't taken is a mistake of ours, and becomes EIO.
   */
  answer(call: Call, answer: number): void;

  /** Sends a notification: a whole message. Calls `done` when the kernel has acted on it, or won't. */
  notify(message: Uint8Array, done?: () => void): void;

  /** Sends one that waits for nobody, and on which the kernel has acted at the return. */
  notifyNow(message: Uint8Array): void;

  /** Lets go of the kernel's end. What is answered afterwards goes nowhere. */
  close(): void;
}
