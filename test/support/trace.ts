import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

const SHOWN = 40;

/** A value as a line of a trace shows it: short bytes as text, long ones by length and digest. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (bytes.length <= SHOWN) return JSON.stringify(bytes.toString('latin1'));
    const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
    return `<${bytes.length} bytes, ${digest}>`;
  }
  if (typeof value === 'string') return /^E[A-Z0-9]+$/.test(value) ? value : JSON.stringify(value);
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: true });
}

type AnyCall = (...args: unknown[]) => unknown;

/** The same calls, each telling `line` what it was and what it answered. */
export function traced<C extends object>(calls: C, line: (text: string) => void): C {
  const wrap =
    (name: string, call: AnyCall) =>
    (...args: unknown[]) => {
      const text = `${name}(${args.map(show).join(', ')})`;
      const told = (result: unknown) => {
        line(`${text} = ${show(result)}`);
        return result;
      };
      const result = call(...args);
      return result instanceof Promise ? result.then(told) : told(result);
    };
  const entries: [string, AnyCall][] = Object.entries(calls);
  return Object.fromEntries(entries.map(([name, call]) => [name, wrap(name, call)])) as C;
}
