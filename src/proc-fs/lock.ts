/**
 * What fcntl(2) is asked about a lock. Source: linux/fcntl.h.
 *
 * @example
 * ```ts
 * lock(file, command, lock) {
 *   if (command !== LockCommand.GETLK) throw new Errno('ENOLCK');
 * }
 * ```
 */
export const LockCommand = {
  /** Which lock is in the way. */
  GETLK: 5,
  /** Lock or unlock, or EAGAIN. */
  SETLK: 6,
  /** The same, and wait. */
  SETLKW: 7,
} as const;
/**
 * One of them.
 *
 * @example
 * ```ts
 * const waits = (command: LockCommand) => command === LockCommand.SETLKW;
 * ```
 */
export type LockCommand = (typeof LockCommand)[keyof typeof LockCommand];

/**
 * Kinds of locks. Source: asm-generic/fcntl.h.
 *
 * @example
 * ```ts
 * const isLet = (lock: FileLock) => lock.type === LockType.NONE;
 * ```
 */
export const LockType = {
  /** Others may read too. */
  READ: 0,
  /** Nobody else may have one. */
  WRITE: 1,
  /** No lock. */
  NONE: 2,
} as const;
/**
 * One of them.
 *
 * @example
 * ```ts
 * const excludes = (type: LockType) => type === LockType.WRITE;
 * ```
 */
export type LockType = (typeof LockType)[keyof typeof LockType];

/**
 * A lock of fcntl(2) or flock(2): the kernel's `struct file_lock`.
 *
 * @example
 * ```ts
 * const whole: FileLock = { type: LockType.WRITE, start: 0, end: Number.MAX_SAFE_INTEGER, owner: 1, pid: process.pid };
 * ```
 */
export interface FileLock {
  /** What it keeps others from. */
  readonly type: LockType;
  /** The first byte, 0 to 2^53 - 1. */
  readonly start: number;
  /** The last byte; 2^53 - 1: to the end, however long the file gets. */
  readonly end: number;
  /** Whose it is: a process for fcntl(2), an open file for flock(2). A number that means nothing else. */
  readonly owner: number;
  /** The process, as the mount's PID namespace has it; 0: not known. */
  readonly pid: number;
}

/** A lock that somebody has. */
export interface HeldLock extends FileLock {
  readonly kind: 'posix' | 'flock';
  /** The machine or mount that it was taken on: owners are numbers of one mount. */
  readonly holder: string;
}

function isOf(lock: HeldLock, { kind, holder, owner }: HeldLock): boolean {
  return lock.kind === kind && lock.holder === holder && lock.owner === owner;
}

/** The lock that keeps `wanted` from being had, if there is one. Locks of fcntl(2) and flock(2) know nothing of each other. */
export function inTheWay(held: readonly HeldLock[], wanted: HeldLock): HeldLock | undefined {
  if (wanted.type === LockType.NONE) return undefined;
  return held.find(
    (lock) =>
      lock.kind === wanted.kind &&
      !isOf(lock, wanted) &&
      lock.start <= wanted.end &&
      wanted.start <= lock.end &&
      (lock.type === LockType.WRITE || wanted.type === LockType.WRITE),
  );
}

/**
 * The locks once `wanted` is had, which nothing is in the way of: what its owner had of that range before is replaced, and may be
 * cut in two. Source: posix_lock_inode, fs/locks.c.
 */
export function withLock(held: readonly HeldLock[], wanted: HeldLock): HeldLock[] {
  let { start, end } = wanted;
  const left = held.flatMap((lock): HeldLock[] => {
    if (!isOf(lock, wanted)) return [lock];
    if (lock.type === wanted.type && lock.start <= end + 1 && start <= lock.end + 1) {
      // They become one.
      start = Math.min(start, lock.start);
      end = Math.max(end, lock.end);
      return [];
    }
    if (lock.start > wanted.end || wanted.start > lock.end) return [lock];
    return [
      ...(lock.start < wanted.start ? [{ ...lock, end: wanted.start - 1 }] : []),
      ...(lock.end > wanted.end ? [{ ...lock, start: wanted.end + 1 }] : []),
    ];
  });
  return wanted.type === LockType.NONE ? left : [...left, { ...wanted, start, end }];
}

/** The locks without those of an owner. */
export function withoutOwner(held: readonly HeldLock[], of: Pick<HeldLock, 'holder' | 'owner'>): HeldLock[] {
  return held.filter(({ holder, owner }) => holder !== of.holder || owner !== of.owner);
}
