import type { Scene } from './scene.ts';

/** Where a target answers otherwise than a case expects, and why that is right. */
export interface Difference {
  /** The first answer that differs, as a trace shows it. */
  readonly got: string | RegExp;
  readonly why: string;
  /** Whether it may also answer as expected: where it is a matter of chance. */
  readonly sometimes?: boolean;
}

export interface CaseOptions {
  /**
   * What has to give the same answers: a tmpfs, or for what concerns names in the directory, /proc. Or why there is
   * nothing to compare with. Default: tmpfs.
   */
  readonly oracle?: 'tmpfs' | '/proc' | { readonly none: string };
  /** Where tmpfs answers otherwise all the same. */
  readonly tmpfs?: Difference;
  /** The most memory that the file may take, in bytes. Default: DEFAULT_MAX_SIZE. */
  readonly maxSize?: number;
  /** Whether the case ends the mount, and so needs one of its own. */
  readonly endsMount?: boolean;
}

/** One statement about the file's behaviour. */
export interface Case extends CaseOptions {
  readonly name: string;
  /** Makes calls and says what is expected of each. It finds the file empty, mode 0666, and owned by root. */
  readonly play: (scene: Scene) => void | Promise<void>;
}

export const DEFAULT_MAX_SIZE = 256 << 20;

export function check(name: string, play: Case['play'], options: CaseOptions = {}): Case {
  return { name, play, ...options };
}
