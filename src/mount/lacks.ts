/** What a machine lacks, and what helps. */
export interface Lack {
  /** The last part of a sentence, up to what helps. */
  readonly why: string;
  readonly remedy: string;
}

/**
 * What mounting may lack: the words of who refuses to mount, and of "ramproc doctor", which looks before. What has no `why` is told by
 * the system call that failed.
 */
export const lacks = {
  kernel: { why: 'ramproc needs FUSE 7.31', remedy: 'run Linux 5.4 or newer' },
  device: { why: '', remedy: 'load the kernel module with "modprobe fuse"' },
  deviceAccess: {
    why: '',
    remedy: 'ask the administrator for access to it, for example with "chmod 666 /dev/fuse"',
  },
  fusermount: { why: 'fusermount3 is missing', remedy: '"apt install fuse3", or the like' },
  setuid: {
    why: 'mount failed: Operation not permitted',
    remedy: 'fusermount must be set-user-ID root, and a container needs CAP_SYS_ADMIN',
  },
  allowOther: {
    why: "option allow_other only allowed if 'user_allow_other' is set in /etc/fuse.conf",
    remedy: '"echo user_allow_other >>/etc/fuse.conf", as root',
  },
  passthroughKernel: { why: 'it needs Linux 6.9 or newer', remedy: 'use "--io cached" instead' },
  passthroughRights: { why: 'it needs CAP_SYS_ADMIN', remedy: 'use "--io cached" instead' },
  uring: {
    why: 'the kernel offers none to FUSE, which needs Linux 6.14 or newer with CONFIG_FUSE_IO_URING',
    remedy: '"echo Y >/sys/module/fuse/parameters/enable_uring", as root, or choose the channel "device"',
  },
  fuseNative: {
    why: 'the package fuse-native is not installed ("npm install fuse-native")',
    remedy: 'use the transport "kernel" instead',
  },
} as const satisfies Readonly<Record<string, Lack>>;

/** The last part of a sentence. */
export function because({ why, remedy }: Lack): string {
  return `${why}; ${remedy}`;
}
