import { expect, test } from 'vitest';
import {
  allocateRoom,
  giveRoom,
  type TraceFilter,
  Tracers,
  takeMissed,
  whomToTell,
} from '../../../src/transport/tracers.ts';

const read = { operation: 'READ', path: '/jobs/1', result: 5 };
const failed = { operation: 'LOOKUP', path: '/none', result: -2 };
const forgotten = { operation: 'FORGET', path: '', result: undefined };

test.each<[TraceFilter, boolean[]]>([
  [{}, [true, true, true]],
  [{ operations: ['READ', 'FORGET'] }, [true, false, true]],
  [{ path: '/' }, [true, true, true]],
  [{ path: '/jobs' }, [true, false, false]],
  [{ path: '/jobs/1' }, [true, false, false]],
  [{ path: '/job' }, [false, false, false]],
  [{ failed: true }, [false, true, false]],
  [{ failed: true, operations: ['READ'] }, [false, false, false]],
])('%j lets through what it says', (filter, expected) => {
  const told = [read, failed, forgotten].map((one) => whomToTell([{ id: 7, filter, room: undefined }], one));
  expect(told).toEqual(expected.map((is) => (is ? [7] : [])));
});

test('who has no room is told of nothing, and how much that was; nobody else is held up', () => {
  const room = allocateRoom(2);
  const orders = [
    { id: 1, filter: {}, room },
    { id: 2, filter: {}, room: undefined },
  ];
  const told = [1, 2, 3, 4].map(() => whomToTell(orders, read));
  expect(told).toEqual([[1, 2], [1, 2], [2], [2]]);
  expect([takeMissed(room), takeMissed(room)]).toEqual([2, 0]);
  giveRoom(room, 1);
  expect([whomToTell(orders, read), whomToTell(orders, read)]).toEqual([[1, 2], [2]]);
});

test('who wants to know no more is nobody that threads know of', () => {
  const counts: number[] = [];
  const tracers = new Tracers(({ length }) => counts.push(length));
  const one = tracers.add(() => {});
  const other = tracers.add(() => {}, { failed: true });
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  expect(tracers.orders.map(({ filter }) => filter)).toEqual([{ failed: true }]);
  other[Symbol.dispose]();
  expect(counts).toEqual([1, 2, 1, 0]);
});
