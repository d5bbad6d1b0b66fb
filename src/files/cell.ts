/**
 * A value that a file shows and sets: any object with a member `value`, read and written by both sides. As a setter it may do more,
 * and may refuse with an Errno.
 *
 * @example
 * ```ts
 * const limit: Cell<number> = { value: 10 };
 * procDointvecMinmax('limit', 0o644, null, limit, 1, 100);
 * ```
 */
export interface Cell<T> {
  /** What reads show and writes set. */
  value: T;
}
