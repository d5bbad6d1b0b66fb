import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { output } from './command.ts';

/** The machine and the programs that matter, in one paragraph. */
export async function machine(): Promise<string> {
  const [cpu] = cpus();
  const virtual = /^flags.* hypervisor/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
    ? ', a virtual machine'
    : '';
  const gib = Math.round(totalmem() / 2 ** 30);
  const fio = (await output('fio', '--version')).trim();
  const libfuse = (await output('pkg-config', '--modversion', 'fuse3')).trim();
  return (
    `Linux ${release()} on ${cpus().length} × ${cpu?.model.trim()}, ${gib} GiB of memory${virtual}; ` +
    `Node ${process.version}, ${fio}, libfuse ${libfuse}, as ${process.geteuid?.() === 0 ? 'root' : 'an ordinary user'}.`
  );
}
