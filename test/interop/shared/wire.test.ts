import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, connect } from '../../../src/shared-file/client.ts';
import { Engine } from '../../support/engine.ts';
import { makeDir } from '../../support/run.ts';

const MIB = 1 << 20;

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
});

function to(path: string): Promise<Connection> {
  const place = { path };
  return connect(
    { address: { kind: 'single', places: [place], tls: false, database: 0 }, password: undefined },
    place,
    2000,
  );
}

/** A connection to a server of the test's own, and that one's end of it. */
async function accepted(): Promise<{ server: Server; connection: Connection; socket: Socket }> {
  const path = join(makeDir('wire'), 'socket');
  const server = createServer();
  server.listen(path);
  const connecting = once(server, 'connection');
  const connection = await to(path);
  const [socket] = await connecting;
  return { server, connection, socket };
}

/** Bytes that nothing else has. */
function unlike(number: number, length: number): Buffer {
  return Buffer.from(
    Uint32Array.from({ length: Math.ceil(length / 4) }, (_, i) => number * 2654435761 + i).buffer,
    0,
    length,
  );
}

test('thousands of answers of all sizes come to who asked, each whole, while many are on their way', async () => {
  const connection = await to(engine.socket);
  const sizes = [0, 1, 100, 4096, 4097, 65_536, 100_000, 3 * MIB];
  for (const [n, size] of sizes.entries()) await connection.send(['SET', `value${n}`, unlike(n, size)]);
  const answers = Array.from({ length: 2000 }, async (_, i) => {
    const n = i % 100 === 7 ? 7 : i % 7;
    if (i % 3 === 0) {
      const [value, length] = await connection.transact([
        ['GET', `value${n}`],
        ['STRLEN', `value${n}`],
      ]);
      return [n, value, length];
    }
    return [n, await connection.send(['GET', `value${n}`]), sizes[n]];
  });
  for (const answer of answers) {
    const [n, value, length] = await answer;
    expect(length).toBe(sizes[Number(n)]);
    expect((value as Buffer).equals(unlike(Number(n), Number(length)))).toBe(true);
  }
  connection.destroy();
});

test('commands of one turn are one write, also those with many bytes', async () => {
  const { server, connection, socket } = await accepted();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const asked = [
    connection.send(['GET', 'é']),
    connection.transact([['SET', 'k', Buffer.from([0xff, 13, 10])]]),
  ];
  const text = Buffer.concat([
    Buffer.from('*2\r\n$3\r\nGET\r\n$2\r\né\r\n*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n'),
    Buffer.from([0xff, 13, 10]),
    Buffer.from('\r\n*1\r\n$4\r\nEXEC\r\n'),
  ]);
  await once(socket, 'data');
  expect(chunks).toEqual([text]);
  // Byte by byte it is the same answer.
  for (const byte of Buffer.from('$2\r\nab\r\n+OK\r\n+QUEUED\r\n*1\r\n:12\r\n')) {
    socket.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  expect(await Promise.all(asked)).toEqual([Buffer.from('ab'), [12]]);
  socket.destroy();
  server.close();
  await connection.closed;
});

test('an error is the answer of the command that it is of, also within a transaction', async () => {
  const connection = await to(engine.socket);
  const answers = await Promise.allSettled([
    connection.send(['NOSUCH']),
    connection.send(['ECHO', 'a']),
    connection.transact([
      ['SET', 'text', 'a'],
      ['HGET', 'text', 'a'],
    ]),
    connection.transact([
      ['SET', 'text'],
      ['GET', 'text'],
    ]),
    connection.transact([['GET', 'text']]),
  ]);
  const failed = (code: string) => ({ status: 'rejected', reason: expect.objectContaining({ code }) });
  const fine = (value: unknown) => ({ status: 'fulfilled', value });
  expect(answers).toEqual([
    failed('ERR'),
    fine(Buffer.from('a')),
    failed('WRONGTYPE'),
    failed('ERR'),
    fine([Buffer.from('a')]),
  ]);
  connection.destroy();
});

test('what was asked fails when the connection ends, whoever ends it, and so does what is asked afterwards', async () => {
  for (const end of ['destroyed', 'killed', 'nonsense'] as const) {
    const { server, connection, socket } = await accepted();
    const asked = Promise.allSettled([connection.send(['GET', 'k']), connection.transact([['GET', 'k']])]);
    if (end === 'destroyed') connection.destroy();
    if (end === 'killed') socket.destroy();
    if (end === 'nonsense') socket.write('Hello\r\n');
    expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await connection.closed).toBeInstanceOf(Error);
    await expect(connection.send(['GET', 'k'])).rejects.toThrow('closed');
    server.close();
  }
});

test('nobody there is an error at once, and who accepts and is silent is one after the time', async () => {
  await expect(to(join(makeDir('wire'), 'nobody'))).rejects.toMatchObject({ code: 'ENOENT' });
  await using silent = await Engine.start('--requirepass secret');
  silent.stop(true);
  const place = { path: silent.socket };
  const address = { kind: 'single', places: [place], tls: false, database: 0 } as const;
  await expect(connect({ address, password: 'secret' }, place, 300)).rejects.toThrow(/did not answer within/);
});
