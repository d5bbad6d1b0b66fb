/** Settings with a range: echo 5 >mnt/level; echo many >mnt/level; echo 9 >mnt/level; echo 128 >mnt/workers */
import { Errno, mount, procCreateSingle, procDointvecMinmax, procRoot } from 'ramproc';

let level = 3;
procCreateSingle(
  'level',
  0o644,
  null,
  () => `${level}\n`,
  (text) => {
    if (!/^\d+\n?$/.test(text)) throw new Errno('EINVAL');
    if (Number(text) > 7) throw new Errno('ERANGE');
    level = Number(text);
  },
);

// As those of /proc/sys: whatever is wrong is EINVAL.
const workers = { value: 4 };
procDointvecMinmax('workers', 0o644, null, workers, 1, 64);

await mount(procRoot, process.argv[2] ?? 'mnt');
