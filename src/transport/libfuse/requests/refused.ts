import { answer } from '../../../proc-fs/proc-ops.ts';
import { refusal } from '../../refusal.ts';
import type { NativeRequest } from '../fuse-native.ts';
import type { Handlers, NativeTree } from '../server.ts';

export function refused(
  server: NativeTree,
): Handlers<'create' | 'mknod' | 'mkdir' | 'symlink' | 'link' | 'unlink' | 'rmdir' | 'rename'> {
  const refuse = (errno: number) => (request: NativeRequest) => server.answer(request, -errno);
  const create = refuse(refusal.create);
  const remove = refuse(refusal.remove);
  return {
    create,
    mknod: create,
    mkdir: create,
    symlink: create,
    link: create,
    unlink: remove,
    rmdir: remove,
    rename(request, _path, newPath) {
      const refused = answer(
        () => server.entry(newPath),
        (entry) => -refusal.rename(entry !== undefined),
      );
      server.answerRaw(request, refused);
    },
  };
}
