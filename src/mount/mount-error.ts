/** Why a directory can't be mounted or unmounted, in one sentence for a person. */
export class MountError extends Error {
  override name = 'MountError';
}
