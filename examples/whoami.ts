/** Who asks: cat mnt/whoami */
import { readFile } from 'node:fs/promises';
import { mount, procCreateSingle, procRoot } from 'ramproc';

procCreateSingle('whoami', 0o444, null, async ({ uid, gid, pid, tid }) => {
  const program = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'gone\n');
  return `user ${uid}\ngroup ${gid}\nprocess ${pid}\nthread ${tid}\nprogram ${program}`;
});
// For all users, as far as modes let them; an ordinary user who mounts needs user_allow_other in /etc/fuse.conf for it.
await mount(procRoot, process.argv[2] ?? 'mnt', { allowOther: process.getuid?.() === 0 });
