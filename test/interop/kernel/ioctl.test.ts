import { constants } from 'node:fs';
import { constants as system } from 'node:os';
import { Errno, type ProcHandler } from 'ramproc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../support/answer.ts';
import { Client } from '../../support/client.ts';
import { Tree } from './tree.ts';

const NONE = 0;
const WRITE = 1;
const READ = 2;

/** A command that passes bytes to the file (WRITE), from it (READ), or both ways. Source: _IOC, asm-generic/ioctl.h. */
function command(direction: number, number: number, size: number): number {
  return ((direction << 30) | (size << 16) | (0x7a << 8) | number) >>> 0;
}

let client: Client;
beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client[Symbol.asyncDispose]());

/** The answer of one ioctl, and what its handler was given. */
async function ioctl(
  request: number,
  bytes: Uint8Array,
  handler: NonNullable<ProcHandler['ioctl']>,
): Promise<{ answer: unknown; command: number; input: Buffer; room: number }> {
  let seen = { command: -1, input: Buffer.alloc(0), room: -1 };
  await using tree = await Tree.mount({
    file: {
      ioctl(file, command, input, output, caller) {
        seen = { command, input: Buffer.from(input.readAll()), room: output.length };
        return handler(file, command, input, output, caller);
      },
    },
  });
  const fd = must(await client.sys.open(tree.path('file'), constants.O_RDWR));
  const answer = await client.sys.ioctlWith(fd, request, bytes);
  await client.sys.close(fd);
  return { answer, ...seen };
}

describe('ioctl', () => {
  test('without data hands over its command, and returns what the handler does', async () => {
    const request = command(NONE, 1, 0);
    expect(await ioctl(request, Buffer.from('ab'), () => 42)).toEqual({
      answer: [42, Buffer.from('ab')],
      command: request,
      input: Buffer.alloc(0),
      room: 0,
    });
  });

  test('that writes hands over as many bytes as its command says', async () => {
    const request = command(WRITE, 2, 5);
    const seen = await ioctl(request, Buffer.from('hello world'), () => 0);
    expect(seen).toMatchObject({ command: request, input: Buffer.from('hello'), room: 0 });
  });

  test('that reads gets what the handler fills in', async () => {
    const seen = await ioctl(
      command(READ, 3, 4),
      Buffer.from('........'),
      (_file, _command, _input, output) => {
        output.write(Buffer.from('four'));
        return 0;
      },
    );
    expect(seen).toMatchObject({ answer: [0, Buffer.from('four....')], room: 4 });
    expect(seen.input).toHaveLength(0);
  });

  test('both ways, of the largest size that a command can name', async () => {
    const size = 2 ** 14 - 1;
    const seen = await ioctl(
      command(READ | WRITE, 4, size),
      Buffer.alloc(size, 'i'),
      (_file, _command, _in, out) => {
        out.write(Buffer.alloc(out.length, 'o'));
        return 7;
      },
    );
    expect(seen.input.equals(Buffer.alloc(size, 'i'))).toBe(true);
    expect(seen.answer).toEqual([7, Buffer.alloc(size, 'o')]);
  });

  test('that the handler refuses, now or later, fails with its errno', async () => {
    const refuse = () => {
      throw new Errno(system.errno.EOVERFLOW);
    };
    expect((await ioctl(command(WRITE, 5, 4), Buffer.alloc(4), refuse)).answer).toBe('EOVERFLOW');
    expect((await ioctl(command(WRITE, 5, 4), Buffer.alloc(4), async () => refuse())).answer).toBe(
      'EOVERFLOW',
    );
  });

  test('of a file without it is ENOTTY', async () => {
    await using tree = await Tree.mount({ file: {} });
    const fd = must(await client.sys.open(tree.path('file'), constants.O_RDWR));
    expect(await client.sys.ioctl(fd, command(NONE, 1, 0))).toBe('ENOTTY');
  });
});
