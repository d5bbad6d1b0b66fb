import { chownSync } from 'node:fs';
import { openDeviceToAll } from './device.ts';
import { COMMAND, type Ended, Mount, run } from './mount.ts';
import { makeDir } from './run.ts';

/** The user `nobody` and its group, which has no privileges. */
export const NOBODY = 65534;

/** Runs a program as nobody. */
export function runAsNobody(program: string, ...parameters: readonly string[]): Promise<Ended> {
  const user = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
  return run('setpriv', ...user, program, ...parameters);
}

/** Runs the command `ramproc` as nobody. */
export function ramprocAsNobody(...parameters: readonly string[]): Promise<Ended> {
  return runAsNobody(process.execPath, COMMAND, ...parameters);
}

/** Mounts as nobody, on a directory of its own or a new one. Throws what the command says. */
export async function mountAsNobody(
  options: readonly string[] = [],
  dir = makeDir('nobody'),
): Promise<Mount> {
  using _device = openDeviceToAll();
  chownSync(dir, NOBODY, NOBODY);
  const { status, stdout, stderr } = await ramprocAsNobody('mount', dir, '--json', ...options);
  if (status !== 0) throw new Error(`"ramproc mount" ended with status ${status}: ${stderr.trim()}`);
  return new Mount(JSON.parse(stdout));
}
