import { closeSync, constants, fchmodSync } from 'node:fs';
import { libcFunction } from './libc.ts';

const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSCONFIG_CMD_RECONFIGURE = 7;
const CLOEXEC = 1;
const FSPICK_EMPTY_PATH = 8;
const O_CLOEXEC = 0o2000000;
/** O_TMPFILE includes O_DIRECTORY. Source: asm-generic/fcntl.h. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/**
 * A file without a name on a tmpfs of its own, which is mounted nowhere and holds at most `maxSize` bytes: the kernel
 * keeps to that limit by itself. `noswap`: its pages never go to swap, which Linux can since 6.4 (EINVAL before). Needs
 * CAP_SYS_ADMIN. Returns descriptors of the file and of the tmpfs.
 *
 * The calls are looked up here and not at start, for C libraries older than glibc 2.36 don't have them.
 * Source: fsopen(2), fsconfig(2), fsmount(2), tmpfs(5).
 */
export function tmpfsFile(maxSize: number, noswap: boolean): { fd: number; tmpfs: number } {
  const fsopen = libcFunction<[type: string, flags: number]>('fsopen', 'int', ['str', 'uint']);
  const fsmount = libcFunction<[fd: number, flags: number, attributes: number]>('fsmount', 'int', [
    'int',
    'uint',
    'uint',
  ]);
  const openat = libcFunction<[dir: number, path: string, flags: number, mode: number]>('openat', 'int', [
    'int',
    'str',
    'int',
    'uint',
  ]);
  const context = fsopen('tmpfs', CLOEXEC);
  try {
    configure(context, maxSize, noswap, FSCONFIG_CMD_CREATE);
    const tmpfs = fsmount(context, CLOEXEC, 0);
    try {
      const fd = openat(tmpfs, '.', O_TMPFILE | constants.O_RDWR | O_CLOEXEC, 0o600);
      // Whatever the umask: it is opened once more.
      fchmodSync(fd, 0o600);
      return { fd, tmpfs };
    } catch (error) {
      closeSync(tmpfs);
      throw error;
    }
  } finally {
    closeSync(context);
  }
}

/** Changes how much such a tmpfs holds. EINVAL: it holds more already. Source: fspick(2), shmem_reconfigure of Linux. */
export function resizeTmpfs(tmpfs: number, maxSize: number, noswap: boolean): void {
  const fspick = libcFunction<[dir: number, path: string, flags: number]>('fspick', 'int', [
    'int',
    'str',
    'uint',
  ]);
  const context = fspick(tmpfs, '', CLOEXEC | FSPICK_EMPTY_PATH);
  try {
    configure(context, maxSize, noswap, FSCONFIG_CMD_RECONFIGURE);
  } finally {
    closeSync(context);
  }
}

function configure(context: number, maxSize: number, noswap: boolean, command: number): void {
  const fsconfig = libcFunction<
    [fd: number, command: number, key: string | null, value: string | null, auxiliary: number]
  >('fsconfig', 'int', ['int', 'uint', 'str', 'str', 'int']);
  fsconfig(context, FSCONFIG_SET_STRING, 'size', String(maxSize), 0);
  if (noswap) fsconfig(context, FSCONFIG_SET_FLAG, 'noswap', null, 0);
  fsconfig(context, command, null, null, 0);
}
