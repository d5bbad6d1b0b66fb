import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { ENODEV, ENOENT, EPERM, Errno } from '../abi/errno.ts';
import { MNT_DETACH, MS_OPPOSITES, MS_WORDS, mount, umount2 } from '../sys/mount.ts';
import { type Socket, socketpair } from '../sys/socket.ts';

const DEVICE = '/dev/fuse';
const FUSERMOUNT = 'fusermount3';

/** What /proc/mounts shows in front of the directory, and behind `fuse.` as the type. */
export const FSNAME = 'ramproc';

/** What a mount looks like from outside. */
export interface MountOptions {
  /** Words of mount(8) such as `ro` or `noexec`, the later ones overriding. `nosuid` and `nodev` are the defaults. */
  readonly words?: readonly string[] | undefined;
  /** Whether other users than this one may use the mount, as far as modes let them. Default: false. */
  readonly allowOther?: boolean | undefined;
  /**
   * Whether the mount goes also when this process ends without unmounting, as by SIGKILL: fusermount3, which is needed
   * for it, stays for as long, waits, and unmounts. Default: false.
   */
  readonly autoUnmount?: boolean | undefined;
}

/** Why a directory can't be mounted or unmounted, in one sentence for a person. */
export class MountError extends Error {
  override name = 'MountError';
}

/** The words of mount(8) that a mount understands. */
export function isMountWord(word: string): boolean {
  return Object.hasOwn(MS_WORDS, word) || Object.hasOwn(MS_OPPOSITES, word);
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Mounts a FUSE file system on `dir`. Resolves with the descriptor of /dev/fuse to serve it with. Throws MountError. */
export async function mountFuse(dir: string, options: MountOptions): Promise<number> {
  return isRoot() && !options.autoUnmount ? mountAsRoot(dir, options) : mountByFusermount(dir, options);
}

/** default_permissions: the kernel itself checks mode and owner, as for any local file. */
function fuseOptions({ allowOther = false }: MountOptions): string[] {
  return ['default_permissions', ...(allowOther ? ['allow_other'] : [])];
}

function mountAsRoot(dir: string, options: MountOptions): number {
  const fd = openDevice();
  try {
    let flags = 0;
    for (const word of ['nosuid', 'nodev', ...(options.words ?? [])]) {
      flags = (flags | (MS_WORDS[word] ?? 0)) & ~(MS_OPPOSITES[word] ?? 0);
    }
    // 40000 is S_IFDIR in octal: the root's kind, which the kernel wants to know before it can ask.
    const data = [`fd=${fd}`, 'rootmode=40000', 'user_id=0', 'group_id=0', ...fuseOptions(options)];
    mount(FSNAME, dir, `fuse.${FSNAME}`, flags, data.join(','));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw new MountError(`Cannot mount on ${quote(dir)}: ${reason(error)}`, { cause: error });
  }
}

function openDevice(): number {
  try {
    return openSync(DEVICE, constants.O_RDWR);
  } catch (error) {
    throw deviceError(error);
  }
}

/** Throws a MountError when this process may not open the FUSE device. */
export function checkDevice(): void {
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw deviceError(error);
  }
}

function deviceError(error: unknown): MountError {
  const missing = Errno.from(error);
  const remedy =
    missing instanceof Errno && (missing.errno === ENOENT || missing.errno === ENODEV)
      ? 'load the kernel module with "modprobe fuse"'
      : `ask the administrator for access to it, for example with "chmod 666 ${DEVICE}"`;
  return new MountError(`Cannot open ${DEVICE}: ${reason(error)}; ${remedy}.`, { cause: error });
}

/**
 * The way of an ordinary user: fusermount3 is setuid root, mounts for us, and sends the descriptor of /dev/fuse back
 * over the socket that _FUSE_COMMFD names. With auto_unmount it stays until our end of the socket is closed, and so that
 * end is never closed: the kernel does it when this process is gone. Source: fusermount3(1), util/fusermount.c of libfuse.
 */
async function mountByFusermount(dir: string, options: MountOptions): Promise<number> {
  // fusermount3 opens the device with the caller's own rights, and would say less about it.
  checkDevice();
  const [ours, theirs] = socketpair();
  const words = [
    `fsname=${FSNAME}`,
    `subtype=${FSNAME}`,
    ...fuseOptions(options),
    ...(options.autoUnmount ? ['auto_unmount'] : []),
    ...(options.words ?? []),
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
  const child = spawn(FUSERMOUNT, parameters, {
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
function runFusermount(parameters: string[], failure: string): void {
  const { error, status, stderr } = spawnSync(FUSERMOUNT, parameters, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
    encoding: 'utf8',
  });
  if (error !== undefined) throw fusermountMissing(failure, error);
  if (status !== 0) throw fusermountFailed(failure, stderr);
}

function fusermountMissing(failure: string, cause: unknown): MountError {
  const who = isRoot() ? 'auto_unmount' : 'an ordinary user';
  return new MountError(
    `${failure}: ${FUSERMOUNT} is missing; ${who} needs it: "apt install fuse3", or the like.`,
    {
      cause,
    },
  );
}

function fusermountFailed(failure: string, said: string): MountError {
  const line = said.trim().split('\n').at(-1) ?? '';
  return new MountError(`${failure}: ${line.replace(/^fusermount3?: /, '') || `${FUSERMOUNT} failed`}.`);
}

/** Unmounts `dir`, or with `lazy` detaches it until its last user is gone. Throws MountError, with an Errno as cause. */
export function unmountFuse(dir: string, lazy: boolean): void {
  const failure = `Cannot unmount ${quote(dir)}`;
  try {
    if (isRoot()) umount2(dir, lazy ? MNT_DETACH : 0);
    else runFusermount(['-u', ...(lazy ? ['-z'] : []), '--', dir], failure);
  } catch (error) {
    if (error instanceof MountError) throw error;
    throw new MountError(`${failure}: ${reason(error)}`, { cause: error });
  }
}

/** A path in a message: in quotes, with what could break the line or the quotes escaped. */
export function quote(path: string): string {
  return oneLine(JSON.stringify(path));
}

/** A message on one line: what a terminal could take for a command, or for another order of the characters, is escaped. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) =>
    character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The last part of a sentence: why a system call failed, and where it helps, what to do. */
export function reason(error: unknown): string {
  const errno = Errno.from(error);
  if (!(errno instanceof Errno)) return error instanceof Error ? error.message : String(error);
  const text = errno.message.replace(/^[^:]*: /, '');
  return errno.errno === EPERM ? `${text}; root needs CAP_SYS_ADMIN for it.` : text;
}
