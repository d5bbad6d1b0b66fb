import type { MaybePromise } from './handler.ts';

/** Whether a value is still to come: a promise, or anything else that has a `then`. */
export function isLater<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** `next` of a value: at once, where the value is there. */
export function whenThere<T, U>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<U>,
): MaybePromise<U> {
  return isLater(value) ? Promise.resolve(value).then(next) : next(value);
}
