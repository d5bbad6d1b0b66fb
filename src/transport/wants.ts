/** What a mount wants beside the protocol's common part: it is agreed on once, for the whole of it. */
export interface Wants {
  /** Files may be mapped shared though their reads and writes are direct. */
  readonly mmap: boolean;
  /** The kernel is to read and write backing files itself. */
  readonly passthrough: boolean;
}
