/** A call's time is over. */
export class Late extends Error {}

/** Until when a call may take, by performance.now(), and how it is ended. */
interface Pending {
  readonly deadline: number;
  readonly fail: (error: Error) => void;
}

/** Has calls end in time, answered or not. One timer looks at all of them: one for each would cost more than a small read. */
export class Deadlines {
  readonly #pending = new Set<Pending>();
  #timer: NodeJS.Timeout | undefined;

  /** Looks from now on. A call is ended late by a fiftieth of `timeout` at most, or 10 ms. */
  start(timeout: number): void {
    this.#timer = setInterval(() => this.#look(), Math.max(10, timeout / 50)).unref();
  }

  /** `work`, or Late when the time is over. */
  before<T>(deadline: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending = { deadline, fail: reject };
      this.#pending.add(pending);
      work.then(
        (value) => {
          this.#pending.delete(pending);
          resolve(value);
        },
        (error: unknown) => {
          this.#pending.delete(pending);
          reject(error);
        },
      );
    });
  }

  /** Ends them all. */
  end(error: Error): void {
    clearInterval(this.#timer);
    for (const one of this.#pending) one.fail(error);
  }

  /** One that was sent again stands behind younger ones. */
  #look(): void {
    const now = performance.now();
    for (const one of this.#pending) {
      if (one.deadline > now) continue;
      this.#pending.delete(one);
      one.fail(new Late());
    }
  }
}
