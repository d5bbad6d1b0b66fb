import { fusermountOptions, type MountOptions } from '../../mount/options.ts';

/** What libfuse 2.9 and its fusermount are told, as one argument. Source: mount.fuse(8). */
export function libfuseOptions(mount: MountOptions): string {
  const { allowOther = false, autoUnmount = false } = mount;
  const options = [
    ...fusermountOptions(mount),
    'default_permissions',
    ...(allowOther ? ['allow_other'] : []),
    ...(autoUnmount ? ['auto_unmount'] : []),
    // As mount(2) has it: whether a directory may be hidden is for the caller to say.
    'nonempty',
    // Every read and write reaches the handler, up to 128 KiB of it at once. Only the page cache, which is not asked then, sends
    // single pages without "big_writes" (fuse_fill_write_pages).
    'direct_io',
    // What the program itself changes or removes must be seen at once, and libfuse can't be made to tell the kernel.
    'entry_timeout=0',
    'attr_timeout=0',
    // unlink and rename of an open file are for the tree to refuse, not to be made a rename to a hidden name first.
    'hard_remove',
    // The inode numbers are the entries' own.
    'use_ino',
  ];
  return `-o${options.join(',')}`;
}
