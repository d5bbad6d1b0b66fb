/**
 * Why a directory can't be mounted or unmounted, in one sentence for a person.
 *
 * @example
 * ```ts
 * try {
 *   await mount(procRoot, dir);
 * } catch (error) {
 *   if (!(error instanceof MountError)) throw error;
 *   console.error(error.message); // Cannot mount on "/tmp/my-proc": …
 * }
 * ```
 */
export class MountError extends Error {
  /** What a stack trace begins with. */
  override name = 'MountError';
}
