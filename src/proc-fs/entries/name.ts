import { EEXIST, EINVAL, ENAMETOOLONG, ENOENT, Errno } from '../../sys/errno.ts';

/** The longest name, in bytes of UTF-8. Source: NAME_MAX, include/uapi/linux/limits.h. */
export const NAME_MAX = 255;

/** Throws the errno of mkdir(2) for the same name; a `/` or NUL can't be part of one name at all. */
export function checkName(name: string): void {
  if (name === '') throw new Errno(ENOENT);
  if (name === '.' || name === '..') throw new Errno(EEXIST);
  if (name.includes('/') || name.includes('\0')) throw new Errno(EINVAL);
  // Half a surrogate pair has no bytes of its own: clients would list another name than they could open.
  if (Buffer.from(name).toString() !== name) throw new Errno(EINVAL);
  if (Buffer.byteLength(name) > NAME_MAX) throw new Errno(ENAMETOOLONG);
}
