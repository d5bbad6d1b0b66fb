import { expect, test } from 'vitest';
import { Opcode } from '../../src/abi/fuse.ts';
import { fuseInHeader, fuseOpenIn, fuseOutHeader } from '../../src/abi/structs.ts';
import { ENOENT, ENOTDIR } from '../../src/sys/errno.ts';
import { Scripted } from './scripted.ts';

function request(opcode: number, nodeid: number, body: Uint8Array): Uint8Array {
  const bytes = Buffer.concat([new Uint8Array(fuseInHeader.size), body]);
  const header = fuseInHeader.at(new DataView(bytes.buffer, bytes.byteOffset), 0);
  Object.assign(header, { len: bytes.length, opcode, nodeid, unique: 2 });
  return bytes;
}

test('OPENDIR opens what is a directory, and nothing else', async () => {
  using world = await Scripted.start();
  const ask = (opcode: number, nodeid: number, body: Uint8Array) => {
    const [reply = new Uint8Array(fuseOutHeader.size)] = world.send(request(opcode, nodeid, body));
    return fuseOutHeader.at(new DataView(reply.buffer), 0).error;
  };
  const opendir = (nodeid: number) => ask(Opcode.OPENDIR, nodeid, new Uint8Array(fuseOpenIn.size));
  const file = 2;
  expect(opendir(file)).toBe(-ENOENT);
  expect(ask(Opcode.LOOKUP, 1, Buffer.from('rust-proc-file\0'))).toBe(0);
  expect(opendir(file)).toBe(-ENOTDIR);
  expect(opendir(1)).toBe(0);
});
