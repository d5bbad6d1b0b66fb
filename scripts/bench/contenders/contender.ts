import type { Programs } from '../compile.ts';

/** A file system with one file in it, mounted. */
export interface Mount {
  /** The file's path. */
  readonly file: string;
  /** A file whose text is made when somebody reads it, if there is such a one. */
  readonly single?: string;
  /** The process that serves it; undefined when the kernel does. */
  readonly pid: number | undefined;
  /** Unmounts, and ends what serves it. */
  unmount(): Promise<void>;
}

/** Something to measure. */
export interface Contender {
  /** For `--contenders`. */
  readonly id: string;
  /** For tables. */
  readonly label: string;
  /** Mounts on an empty directory. When this resolves, the file can be opened. Throws one sentence. */
  mount(dir: string, programs: Programs): Promise<Mount>;
}
