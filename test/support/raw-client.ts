import { Socket as Stream } from 'node:net';
import { connectTo } from '../../src/sys/socket.ts';

/** A connection to a daemon that sends what it is told, and not only questions. Disposing it closes it. */
export class RawClient implements Disposable {
  readonly #stream: Stream;
  #said = '';

  constructor(name: string) {
    using socket = connectTo(name);
    this.#stream = new Stream({ fd: socket.release() });
    this.#stream.on('error', () => this.#stream.destroy());
  }

  send(bytes: string | Uint8Array): void {
    this.#stream.write(bytes);
  }

  /** Reads up to the end. Returns the messages that came. */
  async all(): Promise<Record<string, unknown>[]> {
    this.#stream.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
    await new Promise((end) => this.#stream.once('close', end));
    return this.#said
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }
}

/** Sends some bytes and returns the messages that came back. */
export async function sendRaw(name: string, bytes: string | Uint8Array): Promise<Record<string, unknown>[]> {
  using client = new RawClient(name);
  client.send(bytes);
  return await client.all();
}
