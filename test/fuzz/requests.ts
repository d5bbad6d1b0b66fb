import { Fuzz } from '../bytes/fuzz.ts';
import { hunt } from '../bytes/hunt.ts';
import { opcodeName } from '../bytes/protocol.ts';
import { pulse } from '../support/run.ts';

/** Serves hostile requests. Prints what it came to; throws with the request that went wrong. */
export async function playRequests(seed: number, count: number): Promise<void> {
  const served = await hunt(seed, count, pulse);
  const good = [...served].toSorted(([, a], [, b]) => b - a);
  const sum = good.reduce((total, [, times]) => total + times, 0);
  console.log(
    `--seed ${seed}: ${count} hostile requests were each answered or ignored as the protocol says.`,
  );
  console.log(`${sum} of them could be served: ${good.map(([opcode]) => opcodeName(opcode)).join(', ')}.`);
}

/** Serves one request, in hexadecimal digits. Prints its reply. */
export async function playRequest(hex: string): Promise<void> {
  const request = Buffer.from(hex, 'hex');
  if (request.length * 2 !== hex.length)
    throw new Error('--request needs an even number of hexadecimal digits.');
  using fuzz = await Fuzz.start();
  const reply = fuzz.send(new Uint8Array(request));
  console.log(reply === undefined ? 'It has no reply.' : Buffer.from(reply).toString('hex'));
}
