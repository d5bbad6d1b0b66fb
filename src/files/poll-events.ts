/** The events of poll(2), for a handler's `poll`. Source: include/uapi/asm-generic/poll.h. */

/**
 * There is something to read.
 *
 * @example
 * ```ts
 * procCreate('events', 0o666, null, { poll: () => (lines.length > 0 ? POLLIN | POLLRDNORM : 0) });
 * ```
 */
export const POLLIN = 0x001;
/**
 * There is something urgent to read.
 *
 * @example
 * ```ts
 * procCreate('events', 0o666, null, { poll: () => (alarms.length > 0 ? POLLPRI : 0) });
 * ```
 */
export const POLLPRI = 0x002;
/**
 * Writing won't block.
 *
 * @example
 * ```ts
 * procCreate('events', 0o666, null, { poll: () => (queue.length < 100 ? POLLOUT | POLLWRNORM : 0) });
 * ```
 */
export const POLLOUT = 0x004;
/**
 * Something is wrong; reported without being asked for.
 *
 * @example
 * ```ts
 * procCreate('events', 0o666, null, { poll: () => (device.isBroken ? POLLERR : POLLIN) });
 * ```
 */
export const POLLERR = 0x008;
/**
 * The other side is gone; reported without being asked for.
 *
 * @example
 * ```ts
 * procCreate('events', 0o666, null, { poll: () => (producer.isGone ? POLLIN | POLLHUP : 0) });
 * ```
 */
export const POLLHUP = 0x010;
/**
 * As POLLIN: the kernel's drivers report both.
 *
 * @example
 * ```ts
 * procCreate('events', 0o666, null, { poll: () => POLLIN | POLLRDNORM });
 * ```
 */
export const POLLRDNORM = 0x040;
/**
 * As POLLOUT: the kernel's drivers report both.
 *
 * @example
 * ```ts
 * procCreate('events', 0o666, null, { poll: () => POLLOUT | POLLWRNORM });
 * ```
 */
export const POLLWRNORM = 0x100;
/**
 * The other side writes no more.
 *
 * @example
 * ```ts
 * procCreate('events', 0o666, null, { poll: () => (peer.isDone ? POLLIN | POLLRDHUP : 0) });
 * ```
 */
export const POLLRDHUP = 0x2000;
