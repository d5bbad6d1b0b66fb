import { once } from 'node:events';
import { statSync } from 'node:fs';
import { attempt } from '../sys/processes.ts';
import { type Socket, socketpair } from '../sys/socket.ts';
import { quote } from '../text/quote.ts';
import { checkDevice, isRoot } from './access.ts';
import { lacks } from './lacks.ts';
import { MountError } from './mount-error.ts';
import { fuseOptions, fusermountOptions, type MountOptions } from './options.ts';

const FUSERMOUNT = 'fusermount3';

/** Source: inode(7). */
const S_ISUID = 0o4000;

/** Loaded when it is needed, which root's daemon doesn't: it takes 3 ms. */
const children = () => process.getBuiltinModule('node:child_process');

/**
 * The way of an ordinary user: fusermount3 is setuid root, mounts for us, and sends the descriptor of /dev/fuse back
 * over the socket that _FUSE_COMMFD names. With auto_unmount it stays until our end of the socket is closed, and so that
 * end is never closed: the kernel does it when this process is gone. Source: fusermount3(1), util/fusermount.c of libfuse.
 */
export async function mountByFusermount(dir: string, options: MountOptions): Promise<number> {
  // fusermount3 opens the device with the caller's own rights, and would say less about it.
  checkDevice();
  const [ours, theirs] = socketpair();
  const words = [
    ...fusermountOptions(options),
    ...fuseOptions(options),
    ...(options.autoUnmount ? ['auto_unmount'] : []),
  ];
  const fd = await receiveFrom(
    ['-o', words.join(','), '--', dir],
    `Cannot mount on ${quote(dir)}`,
    ours,
    theirs,
  );
  if (!options.autoUnmount) ours[Symbol.dispose]();
  return fd;
}

/** The descriptor that fusermount3 sends. Throws a MountError that starts with `failure`, with both ends closed. */
async function receiveFrom(
  parameters: string[],
  failure: string,
  ours: Socket,
  theirs: Socket,
): Promise<number> {
  const child = children().spawn(FUSERMOUNT, parameters, {
    stdio: ['ignore', 'ignore', 'pipe', theirs.fd],
    env: { ...process.env, _FUSE_COMMFD: '3', LC_ALL: 'C' },
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const closed = once(child, 'close');
  closed.catch(() => {});
  theirs[Symbol.dispose]();
  const fd = ours.receiveDescriptor();
  if (fd !== undefined) {
    // Else its end would keep this process from ending.
    child.stderr?.destroy();
    child.unref();
    return fd;
  }
  ours[Symbol.dispose]();
  await closed.catch((error: unknown) => {
    throw fusermountMissing(failure, error);
  });
  throw fusermountFailed(failure, said);
}

/** Runs fusermount3 to its end. Throws a MountError that starts with `failure`. */
export function runFusermount(parameters: string[], failure: string): void {
  const { error, status, stderr } = children().spawnSync(FUSERMOUNT, parameters, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
    encoding: 'utf8',
  });
  if (error !== undefined) throw fusermountMissing(failure, error);
  if (status !== 0) throw fusermountFailed(failure, stderr);
}

function fusermountMissing(failure: string, cause: unknown): MountError {
  const who = isRoot() ? 'auto_unmount' : 'an ordinary user';
  return new MountError(`${failure}: ${lacks.fusermount.why}; ${who} needs it: ${lacks.fusermount.remedy}.`, {
    cause,
  });
}

/** What helps, by what fusermount says. Source: util/fusermount.c of libfuse. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/no write access/, 'choose a directory that you may write'],
  [/too many FUSE filesystems/, 'unmount one, or have the administrator raise mount_max in /etc/fuse.conf'],
  [/unknown option/, 'leave it out, mount as root, or install a newer fuse3'],
  [/Operation not permitted/, lacks.setuid.remedy],
  [/user_allow_other/, lacks.allowOther.remedy],
];

/** What fusermount of libfuse 2 or 3 said, as the end of a sentence: its last line, and what helps. */
export function saidByFusermount(said: string): string {
  const line = said.trim().split('\n').at(-1) ?? '';
  const why = line.replace(/^(fuse|fusermount3?): /, '').replace(/\.$/, '') || 'no reason was given';
  const [, remedy] = REMEDIES.find(([words]) => words.test(why)) ?? [];
  return remedy === undefined ? why : `${why}; ${remedy}`;
}

function fusermountFailed(failure: string, said: string): MountError {
  return new MountError(`${failure}: ${saidByFusermount(said)}.`);
}

/** The program that would be run, if there is one. */
export function findFusermount():
  | { path: string; isSetuid: boolean; version: string | undefined }
  | undefined {
  for (const dir of (process.env.PATH ?? '').split(':')) {
    const path = `${dir}/${FUSERMOUNT}`;
    const stat = attempt(() => statSync(path));
    if (stat === undefined || !stat.isFile() || (stat.mode & 0o111) === 0) continue;
    const { stdout } = children().spawnSync(path, ['--version'], { encoding: 'utf8', env: { LC_ALL: 'C' } });
    const [version] = stdout?.match(/\d+(\.\d+)+/) ?? [];
    return { path, isSetuid: stat.uid === 0 && (stat.mode & S_ISUID) !== 0, version };
  }
  return undefined;
}
