import { FUSE_DEV_IOC_BACKING_CLOSE, FUSE_DEV_IOC_BACKING_OPEN } from '../../../abi/fuse.ts';
import { fuseBackingMap } from '../../../abi/structs.ts';
import { because, lacks } from '../../../mount/lacks.ts';
import { MountError } from '../../../mount/mount-error.ts';
import { ioctl } from '../../../sys/ioctl.ts';
import { addressOf } from '../../../sys/libc.ts';

/**
 * Lends the kernel a file to read and write in a handler's place, until it is taken back or the mount ends. Returns the backing id.
 * Throws a MountError without CAP_SYS_ADMIN. Source: fuse_backing_open, fs/fuse/backing.c.
 */
export function lend(device: number, file: number): number {
  const map = new Uint8Array(fuseBackingMap.size);
  fuseBackingMap.at(new DataView(map.buffer), 0).fd = file;
  try {
    return ioctl(device, FUSE_DEV_IOC_BACKING_OPEN, Number(addressOf(map)));
  } catch (error) {
    throw new MountError(`Cannot use passthrough I/O: ${because(lacks.passthroughRights)}.`, {
      cause: error,
    });
  }
}

/** Takes a file back that the kernel was lent. Who has it open keeps it. Source: fuse_backing_close, fs/fuse/backing.c. */
export function takeBack(device: number, backingId: number): void {
  ioctl(
    device,
    FUSE_DEV_IOC_BACKING_CLOSE,
    Number(addressOf(new Uint8Array(Uint32Array.of(backingId).buffer))),
  );
}
