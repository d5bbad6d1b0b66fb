import { expect } from 'vitest';
import type { Machine } from './shared-file.ts';

const SIZE = 16;

/** Appends records on each machine, one after the other, until it is told to end. `from`: where in the file they begin. */
export function appending(machines: readonly Machine[], from: number) {
  const completed: string[] = [];
  const perhaps: string[] = [];
  let isOver = false;
  const loops = machines.map(async (machine, i) => {
    for (let number = 0; !isOver; number++) {
      const record = `${i}.${number}`.padEnd(SIZE - 1, '.');
      const answer = await machine.append(`${record}\n`);
      if (answer === SIZE) completed.push(record);
      else if (answer === 'ETIMEDOUT') perhaps.push(record);
      else if (answer !== 'EIO') throw new Error(`An append is answered with ${answer}.`);
    }
  });
  return {
    get completed(): number {
      return completed.length;
    },
    async end(): Promise<void> {
      isOver = true;
      await Promise.all(loops);
    },
    /** That each record is there once: all that were completed, some that may have been done, and no other. */
    async check(machine: Machine): Promise<void> {
      const { size } = (await machine.stat()) as { size: number };
      const lines = String(await machine.read(from, size - from)).split('\n');
      expect(lines.pop()).toBe('');
      expect(lines.filter((line) => line.length !== SIZE - 1)).toEqual([]);
      const there = new Set(lines);
      expect(there.size).toBe(lines.length);
      expect(completed.filter((record) => !there.has(record))).toEqual([]);
      const known = new Set([...completed, ...perhaps]);
      expect(lines.filter((line) => !known.has(line))).toEqual([]);
    },
  };
}
