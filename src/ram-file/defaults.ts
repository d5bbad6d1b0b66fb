/** The seed's name for its file. */
export const DEFAULT_NAME = 'rust-proc-file';
/** The seed's mode for its file. */
export const DEFAULT_MODE = 0o666;

export const ioModes: readonly IoMode[] = ['direct', 'cached', 'passthrough'];

/**
 * - `direct`: every read and write reaches the handler, as in /proc.
 * - `cached`: the kernel's page cache answers reads of what was read or written before. Writes go through to the handler
 *   before they return: with write-back the kernel would take more than `maxSize` holds, and have to drop it later.
 * - `passthrough`: the kernel reads and writes the memory itself. Needs CAP_SYS_ADMIN and Linux 6.9.
 *
 * @example
 * ```ts
 * const io: IoMode = 'cached';
 * RustProcRamFile.init(null, { maxSize: 1 << 30, io });
 * ```
 */
export type IoMode = 'direct' | 'cached' | 'passthrough';
