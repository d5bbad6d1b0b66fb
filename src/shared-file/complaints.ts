import { type Address, addressText, type Place, placeText } from './address.ts';

/** What a person is told of an engine, in sentences: each once, until the engine answers again. */
export class Complaints {
  readonly #say: (sentence: string) => void;
  readonly #key: string;
  readonly #address: Address;
  readonly #place: () => Place | undefined;
  readonly #said = new Set<string>();
  #trouble: string | undefined;

  /** `place` is where the engine is that answers now. */
  constructor(
    say: (sentence: string) => void,
    key: string,
    address: Address,
    place: () => Place | undefined,
  ) {
    this.#say = say;
    this.#key = key;
    this.#address = address;
    this.#place = place;
  }

  /** Why the engine can't be asked, once that was said. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** It can't be asked. */
  cannotBeAsked(why: string): void {
    const wasSaid = this.#trouble !== undefined;
    this.#trouble = why;
    if (wasSaid) return;
    this.#say(`${this.#what} cannot be asked (${why}); calls end in EIO or ETIMEDOUT until it is back.`);
  }

  /** It answers, perhaps again, and perhaps with another file than before. */
  answers(isAnother: boolean): void {
    this.#said.clear();
    if (isAnother)
      this.#say(`${this.#what} had lost ${this.#key}; it is there again, empty, as --recreate asks.`);
    if (this.#trouble !== undefined) this.#say(`${this.#what} answers again.`);
    this.#trouble = undefined;
  }

  /** The file isn't there any more. */
  isGone(why: string): void {
    const how = why.startsWith('GONE')
      ? 'has lost it, or has another in its place'
      : 'has something else under its name';
    this.#say(
      `${this.#key} is gone: ${this.#what} ${how}; calls are EIO until it is unmounted, or mounted with --recreate.`,
    );
  }

  isFull(): void {
    this.#once(
      `${this.#what} is full: it has no more memory; raise its maxmemory, or make the file shorter.`,
    );
  }

  refuses(why: string): void {
    this.#once(`${this.#what} refuses a call on ${this.#key}: ${why}.`);
  }

  /** `chunk` is the number of a MiB. */
  hasLost(chunk: string): void {
    this.#once(
      `${this.#what} has lost a part of ${this.#key}, the MiB number ${chunk}, or it isn't ramproc's: calls on it are EIO.`,
    );
  }

  /** What many calls may run into. */
  #once(sentence: string): void {
    if (this.#said.has(sentence)) return;
    this.#said.add(sentence);
    this.#say(sentence);
  }

  /** The engine. */
  get #what(): string {
    const place = this.#place();
    const text = addressText(this.#address);
    return `The engine at ${place === undefined || this.#address.kind === 'single' ? text : `${text} (${placeText(place)})`}`;
  }
}
