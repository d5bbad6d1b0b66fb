import { readSync } from 'node:fs';
import { Opcode } from '../../../src/abi/fuse.ts';
import type { RamBufferState } from '../../../src/ram-file/ram-buffer.ts';
import { SCRATCH_SIZE, WINDOW_SIZE } from '../../../src/ram-file/sizes.ts';
import { EBUSY, EFBIG, EINVAL, ENOENT, ENOSYS } from '../../../src/sys/errno.ts';
import { O_NOATIME } from '../../../src/sys/memfd.ts';
import type { Call } from '../../../src/transport/kernel/wire/call.ts';
import { INO, LENGTH, type Server } from './request.ts';

/** How src/ram-file/mapped-pages.ts looks at its mapping at first: at scratch memory for four threads, and then at the file. */
const WINDOW = 4 * SCRATCH_SIZE;

function u64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

/** What the layers do, by hand in one function: on the same memory, under the same lock, with the same checks. */
export function byHand(call: Call, mutex: SharedArrayBuffer, buffer: RamBufferState): Server {
  const { request, reply } = call;
  const { fd, noatime, times } = buffer;
  const input = new DataView(request.buffer, request.byteOffset, request.byteLength);
  const output = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
  const words = new Int32Array(mutex);
  const sizes = new Float64Array(buffer.size);
  const numbers = new Float64Array(times.numbers);
  const mapped = buffer.place === 'memfd' ? buffer.mapped : undefined;
  const memory = mapped === undefined ? undefined : new Uint8Array(reply.buffer);
  const bitmap = new Int32Array(mapped?.bitmap ?? new SharedArrayBuffer(0));

  return (length) => {
    let count: number;
    let size = input.getUint32(56, true);
    const offset = u64(input, 48);
    if (input.getUint32(4, true) !== Opcode.READ) count = -ENOSYS;
    else if (u64(input, 16) !== INO) count = -ENOENT;
    else if (length < LENGTH || input.getUint32(0, true) !== length) count = -EINVAL;
    else if (size > reply.length - 16) count = -EINVAL;
    else if (offset > Number.MAX_SAFE_INTEGER) count = -EFBIG;
    else {
      size = Math.min(size, Number.MAX_SAFE_INTEGER - offset);
      while (Atomics.compareExchange(words, 0, 0, 1) !== 0);
      try {
        if (words[1] !== 0) count = -EBUSY;
        else {
          const old = numbers[0] === 1 && numbers[4] !== 1 && (input.getUint32(72, true) & O_NOATIME) === 0;
          const there = Math.min(size, (sizes[0] ?? 0) - offset);
          if (memory !== undefined && there > 0 && isThere(bitmap, offset, there)) {
            if (old) {
              numbers[0] = 0;
              readSync(fd, reply, 16, 1, offset);
            }
            const from = WINDOW + offset;
            memory.copyWithin(reply.byteOffset + 16, from, from + there);
            count = there;
          } else {
            if (old) numbers[0] = 0;
            count = readSync(old ? fd : noatime, reply, 16, size, offset);
          }
        }
      } finally {
        if (Atomics.exchange(words, 0, 0) === 2) Atomics.notify(words, 0, 1);
      }
    }
    const end = count < 0 ? 16 : 16 + count;
    output.setUint32(0, end, true);
    output.setInt32(4, Math.min(count, 0), true);
    output.setUint32(8, input.getUint32(8, true), true);
    output.setUint32(12, input.getUint32(12, true), true);
    return end;
  };
}

function isThere(bitmap: Int32Array, offset: number, length: number): boolean {
  if (offset + length > WINDOW_SIZE) return false;
  const last = (offset + length - 1) >>> 12;
  for (let page = offset >>> 12; page <= last; page++) {
    if ((((bitmap[page >>> 5] ?? 0) >>> (page & 31)) & 1) === 0) return false;
  }
  return true;
}
