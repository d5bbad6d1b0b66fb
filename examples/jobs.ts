/** A directory for each job, as /proc has for processes: echo sleep 60 >mnt/start; ls mnt/jobs; cat mnt/jobs/newest/command */
import { type ChildProcess, spawn } from 'node:child_process';
import { dir, mount, procCreate, procMkdir, procRoot, procSymlink, single } from 'ramproc';

const jobs = new Map<string, ChildProcess>();

procCreate('start', 0o200, null, {
  write(_file, from) {
    const job = spawn('sh', ['-c', `exec ${Buffer.from(from.readAll())}`], { stdio: 'ignore' });
    const id = String(job.pid);
    jobs.set(id, job);
    job.once('exit', () => jobs.delete(id));
  },
});
const directory = procMkdir('jobs', 0o555, null, {
  // A name that isn't listed can be looked up all the same.
  lookup(name) {
    const job = name === 'newest' ? [...jobs.values()].at(-1) : jobs.get(name);
    return job && dir(0o555, { command: single(0o444, () => `${job.spawnargs.at(-1)}`) });
  },
  iterate: () => jobs.keys(),
});
procSymlink('self', directory, ({ pid }) => String(pid));
await mount(procRoot, process.argv[2] ?? 'mnt');
