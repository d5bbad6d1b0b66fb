/** The events of poll(2), for a handler's `poll`. Source: include/uapi/asm-generic/poll.h. */

/** There is something to read. */
export const POLLIN = 0x001;
/** There is something urgent to read. */
export const POLLPRI = 0x002;
/** Writing won't block. */
export const POLLOUT = 0x004;
/** Something is wrong; reported without being asked for. */
export const POLLERR = 0x008;
/** The other side is gone; reported without being asked for. */
export const POLLHUP = 0x010;
/** As POLLIN: the kernel's drivers report both. */
export const POLLRDNORM = 0x040;
/** As POLLOUT: the kernel's drivers report both. */
export const POLLWRNORM = 0x100;
/** The other side writes no more. */
export const POLLRDHUP = 0x2000;
