/**
 * What a mount wants beside the protocol's common part: it is agreed on once, for the whole of it.
 *
 * @example
 * ```ts
 * const mounted = await mount(procRoot, '/tmp/my-proc', { wants: { mmap: true } });
 * procCreate('mapped', 0o666, null, new ProcOps(handler, { mmap: true })); // as only files could that were there before
 * ```
 */
export interface Wants {
  /** Files may be mapped shared though their reads and writes are direct. */
  readonly mmap: boolean;
  /** The kernel is to read and write backing files itself. */
  readonly passthrough: boolean;
  /**
   * The handlers' `lock`, `flock` and `flush` are called. Locks of files without them are of this mount then, without EDEADLK, and files
   * that are served by workers can't be in it. Else the kernel keeps the locks of all files itself.
   */
  readonly locks: boolean;
  /**
   * Files may have no end, as those of /proc: programs that splice read them. What reads one by io_uring gets the same bytes again and
   * again where a read is short, without ASYNC_DIO (fuse_direct_read_iter); with it an O_DIRECT write that fits in part is EIO instead
   * of short (fuse_get_res_by_io).
   */
  readonly endless: boolean;
}
