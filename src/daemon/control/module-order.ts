/** A module that is to be loaded. */
export interface ModuleOrder {
  /** As it was said. */
  readonly module: string;
  /** The URL of its file, or its package's name. */
  readonly specifier: string;
  /** A URL in the directory from which a package is found. */
  readonly from: string;
  /** `name=value` each. */
  readonly parameters: readonly string[];
}
