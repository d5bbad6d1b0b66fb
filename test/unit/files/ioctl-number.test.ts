import { expect, test } from 'vitest';
import {
  _IO,
  _IOC_DIR,
  _IOC_NONE,
  _IOC_NR,
  _IOC_READ,
  _IOC_SIZE,
  _IOC_TYPE,
  _IOC_WRITE,
  _IOR,
  _IOW,
  _IOWR,
} from '../../../src/files/ioctl-number.ts';
import { runC } from '../abi/run-c.ts';

test('commands have the numbers that the C macros make', () => {
  const commands = [
    "_IO('r', 1)",
    "_IOR('r', 255, int)",
    '_IOW(0, 0, char)',
    '_IOWR(255, 3, long[2])',
    "_IOWR('x', 9, char[16383])",
  ];
  const said = runC(
    commands.map((command) => `printf("%u\\n", (unsigned) ${command});`),
    ['sys/ioctl.h'],
  );
  expect(said.map(Number)).toEqual([
    _IO('r', 1),
    _IOR('r', 255, 4),
    _IOW(0, 0, 1),
    _IOWR(255, 3, 16),
    _IOWR('x', 9, 16383),
  ]);
});

test('what a command is made of can be taken apart', () => {
  for (const [command, direction, size] of [
    [_IO('r', 7), _IOC_NONE, 0],
    [_IOR('r', 7, 12), _IOC_READ, 12],
    [_IOW('r', 7, 12), _IOC_WRITE, 12],
    [_IOWR('r', 7, 12), _IOC_READ | _IOC_WRITE, 12],
  ] as const) {
    expect(_IOC_DIR(command)).toBe(direction);
    expect(_IOC_SIZE(command)).toBe(size);
    expect(_IOC_NR(command)).toBe(7);
    expect(String.fromCharCode(_IOC_TYPE(command))).toBe('r');
  }
});

test.each([
  ['no letter', () => _IO('', 1)],
  ['two letters', () => _IO('ab', 1)],
  ['a letter of two bytes', () => _IO('\u0100', 1)],
  ['a number of 256', () => _IO('a', 256)],
  ['a number below 0', () => _IO('a', -1)],
  ['a fraction', () => _IO('a', 1.5)],
  ['a size of 16384', () => _IOR('a', 1, 16384)],
])('%s is refused', (_, make) => {
  expect(make).toThrow(RangeError);
});
