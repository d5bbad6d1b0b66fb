/**
 * The numbers of ioctl(2) commands: how many bytes they pass, in which direction, and which they are. As on x86, ARM, RISC-V and s390.
 * Source: include/uapi/asm-generic/ioctl.h.
 */

const NRBITS = 8;
const TYPEBITS = 8;
const SIZEBITS = 14;
const TYPESHIFT = NRBITS;
const SIZESHIFT = TYPESHIFT + TYPEBITS;
const DIRSHIFT = SIZESHIFT + SIZEBITS;

/**
 * No bytes are passed.
 *
 * @example
 * ```ts
 * _IOC_DIR(_IO('r', 1)) === _IOC_NONE;
 * ```
 */
export const _IOC_NONE = 0;
/**
 * The caller passes bytes: the handler's `input`.
 *
 * @example
 * ```ts
 * const isSetter = (command: number) => (_IOC_DIR(command) & _IOC_WRITE) !== 0;
 * ```
 */
export const _IOC_WRITE = 1;
/**
 * The caller gets bytes: the handler's `output`.
 *
 * @example
 * ```ts
 * const isGetter = (command: number) => (_IOC_DIR(command) & _IOC_READ) !== 0;
 * ```
 */
export const _IOC_READ = 2;

/**
 * A driver's letter, or its number, 0 to 255.
 *
 * @example
 * ```ts
 * const OURS: IoctlType = 'r';
 * const RESET = _IO(OURS, 1);
 * ```
 */
export type IoctlType = string | number;

function number(direction: number, type: IoctlType, nr: number, size: number): number {
  const letter = typeof type === 'number' ? type : type.length === 1 ? type.charCodeAt(0) : -1;
  check('type', letter, 2 ** TYPEBITS - 1);
  check('nr', nr, 2 ** NRBITS - 1);
  check('size', size, 2 ** SIZEBITS - 1);
  return ((direction << DIRSHIFT) | (size << SIZESHIFT) | (letter << TYPESHIFT) | nr) >>> 0;
}

function check(what: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= most) return;
  throw new RangeError(`The ${what} of an ioctl command is 0 to ${most}, or for the type one character.`);
}

/**
 * A command that passes no bytes.
 *
 * @param type The driver's letter, or its number, 0 to 255.
 * @param nr Which of its commands, 0 to 255. Throws a RangeError for anything else.
 *
 * @example
 * ```ts
 * const RESET = _IO('r', 1);
 * ```
 */
export function _IO(type: IoctlType, nr: number): number {
  return number(_IOC_NONE, type, nr, 0);
}

/**
 * A command by which the caller gets `size` bytes, 0 to 16383. Otherwise as _IO.
 *
 * @example
 * ```ts
 * const GET_COUNT = _IOR('r', 2, 4);
 * ```
 */
export function _IOR(type: IoctlType, nr: number, size: number): number {
  return number(_IOC_READ, type, nr, size);
}

/**
 * A command by which the caller passes `size` bytes, 0 to 16383. Otherwise as _IO.
 *
 * @example
 * ```ts
 * const SET_COUNT = _IOW('r', 3, 4);
 * ```
 */
export function _IOW(type: IoctlType, nr: number, size: number): number {
  return number(_IOC_WRITE, type, nr, size);
}

/**
 * A command by which the caller passes `size` bytes, 0 to 16383, and gets as many. Otherwise as _IO.
 *
 * @example
 * ```ts
 * const EXCHANGE = _IOWR('r', 4, 8);
 * ```
 */
export function _IOWR(type: IoctlType, nr: number, size: number): number {
  return number(_IOC_READ | _IOC_WRITE, type, nr, size);
}

/**
 * The direction of a command: _IOC_NONE, or _IOC_READ, _IOC_WRITE or both.
 *
 * @example
 * ```ts
 * _IOC_DIR(_IOWR('r', 4, 8)); // _IOC_READ | _IOC_WRITE
 * ```
 */
export function _IOC_DIR(command: number): number {
  return command >>> DIRSHIFT;
}

/**
 * The driver's number of a command: the code of its letter.
 *
 * @example
 * ```ts
 * if (_IOC_TYPE(command) !== 'r'.charCodeAt(0)) throw new Errno('ENOTTY');
 * ```
 */
export function _IOC_TYPE(command: number): number {
  return (command >>> TYPESHIFT) & (2 ** TYPEBITS - 1);
}

/**
 * Which of its driver's commands it is.
 *
 * @example
 * ```ts
 * _IOC_NR(_IO('r', 3)); // 3
 * ```
 */
export function _IOC_NR(command: number): number {
  return command & (2 ** NRBITS - 1);
}

/**
 * How many bytes a command passes.
 *
 * @example
 * ```ts
 * _IOC_SIZE(_IOR('r', 2, 4)); // 4
 * ```
 */
export function _IOC_SIZE(command: number): number {
  return (command >>> SIZESHIFT) & (2 ** SIZEBITS - 1);
}
