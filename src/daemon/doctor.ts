import { readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { checkDevice, DEVICE, isRoot } from '../mount/access.ts';
import { findFusermount } from '../mount/fusermount.ts';
import { type Lack, lacks } from '../mount/lacks.ts';
import { MountError } from '../mount/mount-error.ts';
import { memoryRoom } from '../ram-file/memory-room.ts';
import { type Aspect, examineEngine } from '../shared-file/check.ts';
import type { Login } from '../shared-file/client.ts';
import { engineText } from '../shared-file/status.ts';
import { Capability, capable, hasCapability } from '../sys/capabilities.ts';
import { attempt } from '../sys/processes.ts';
import { userName } from '../sys/user-name.ts';
import { message } from '../text/message.ts';
import { quote } from '../text/quote.ts';
import { shellWord } from '../text/shell-word.ts';
import { size } from '../text/size.ts';
import { plan, thisMachine } from './plan.ts';
import type { Settings } from './settings.ts';
import { type Surveyed, survey } from './survey.ts';

/** What was looked at. `FAIL`: nothing can be mounted. `warn`: something can't, or some can't. */
export type Finding = Aspect;
export type Health = Finding['state'];

/**
 * All that mounting needs of this machine and this user, and of an engine when one is named, the way mounting itself asks for it. Mounts nothing, and
 * hangs on nothing.
 */
export async function examine(helper: string, engine: Login | undefined): Promise<Finding[]> {
  return [
    kernel(),
    device(),
    rights(),
    fusermount(),
    allowOther(),
    passthrough(),
    memory(),
    asPlanned('limits', {}, 'FAIL', () => '"ulimit -v" and "ulimit -n" leave a mount all that it needs'),
    lockable(),
    uring(),
    await libfuse(),
    mountHelper(helper),
    ...(engine === undefined ? [] : await examineEngine(engine, PATIENCE)),
    ...(await mounted()),
  ];
}

/** How long an engine may take to let somebody in, in milliseconds. */
const PATIENCE = 5000;

function kernel(): Finding {
  const [, major = 0, minor = 0] = (release().match(/^(\d+)\.(\d+)/) ?? []).map(Number);
  const is = (wantedMajor: number, wantedMinor: number) =>
    major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  const found = `Linux ${release()}`;
  if (!is(5, 4))
    return lacking('kernel', 'FAIL', { ...lacks.kernel, why: `${found}, and ${lacks.kernel.why}` });
  if (!is(6, 6)) {
    return {
      what: 'kernel',
      state: 'warn',
      found: `${found}: --io direct without shared mappings, --io cached`,
      remedy: 'shared mappings need Linux 6.6, --io passthrough 6.9',
    };
  }
  const modes = is(6, 9) ? 'direct, cached, passthrough' : 'direct, cached; passthrough needs 6.9';
  return { what: 'kernel', state: 'ok', found: `${found}: --io ${modes}` };
}

function device(): Finding {
  try {
    checkDevice();
  } catch (error) {
    return refusal(DEVICE, 'FAIL', error);
  }
  const { mode, uid } = statSync(DEVICE);
  const bits = (mode & 0o777).toString(8).padStart(4, '0');
  const found = `${bits}, of ${userName(uid)}; you may open it`;
  if ((mode & 0o006) === 0o006) return { what: DEVICE, state: 'ok', found: `${found}, as everybody` };
  return {
    what: DEVICE,
    state: 'warn',
    found: `${found}, not everybody`,
    remedy: `"chmod 666 ${DEVICE}" lets ordinary users mount`,
  };
}

/** Root mounts by itself; others have fusermount3 do it. */
function rights(): Finding {
  const what = 'mount(2)';
  if (!isRoot()) return { what, state: 'ok', found: 'fusermount3 does it for you' };
  if (hasCapability(Capability.SYS_ADMIN)) return { what, state: 'ok', found: 'you have CAP_SYS_ADMIN' };
  return {
    what,
    state: 'FAIL',
    found: 'you are root without CAP_SYS_ADMIN',
    remedy: 'give the container CAP_SYS_ADMIN, as "docker run --cap-add SYS_ADMIN --device /dev/fuse"',
  };
}

function fusermount(): Finding {
  const what = 'fusermount3';
  const needed = isRoot() ? 'warn' : 'FAIL';
  const { path, isSetuid, version } = findFusermount() ?? {};
  if (path === undefined) {
    const who = isRoot() ? 'auto_unmount and ordinary users need it' : 'you need it to mount';
    return lacking(what, needed, { ...lacks.fusermount, why: `${lacks.fusermount.why}; ${who}` });
  }
  const found = `${path}, version ${version ?? 'unknown'}`;
  if (isSetuid) return { what, state: 'ok', found: `${found}, set-user-ID root` };
  return {
    what,
    state: needed,
    found: `${found}, not set-user-ID root`,
    remedy: `"chmod u+s ${path}", as root`,
  };
}

/** Source: fuse(8), "CONFIGURATION" in fusermount3(1). */
function allowOther(): Finding {
  const what = '--allow-other';
  const isSet = /^user_allow_other\s*$/m.test(attempt(() => readFileSync('/etc/fuse.conf', 'utf8')) ?? '');
  if (isSet) return { what, state: 'ok', found: 'for everybody: user_allow_other is set in /etc/fuse.conf' };
  if (isRoot())
    return { what, state: 'ok', found: 'for root; for others user_allow_other would have to be set' };
  return lacking(what, 'warn', lacks.allowOther);
}

function passthrough(): Finding {
  return asPlanned('--io passthrough', { io: 'passthrough' }, 'warn', () => 'you have CAP_SYS_ADMIN');
}

function memory(): Finding {
  const room = memoryRoom();
  const [{ maxSize = 0 } = {}] = attempt(() => plan({}).files) ?? [];
  const found = `${size(room)} are left on this machine and in this control group; a file may have ${size(maxSize)} unless it is told otherwise`;
  if (room >= maxSize) return { what: 'memory', state: 'ok', found };
  return {
    what: 'memory',
    state: 'warn',
    found,
    remedy: `free some, or say less: "ramproc mount DIR -s ${Math.floor(room / 2 ** 20)}M"`,
  };
}

function lockable(): Finding {
  const what = '--secret';
  const lock = capable(Capability.IPC_LOCK)
    ? 'you have CAP_IPC_LOCK'
    : `"ulimit -l" lets you lock ${size(thisMachine().lockable)}`;
  return asPlanned(what, { secret: true }, 'warn', (most) => `up to ${size(most)}: ${lock}`);
}

/** The fuse module's parameter. Source: fs/fuse/dev_uring.c. */
const ENABLE_URING = '/sys/module/fuse/parameters/enable_uring';

function uring(): Finding {
  const enabled = attempt(() => readFileSync(ENABLE_URING, 'utf8').trim());
  const found =
    enabled === undefined
      ? 'this kernel has none for FUSE; mounts use /dev/fuse'
      : enabled === 'Y'
        ? 'on, for "--channel uring"; other mounts use /dev/fuse'
        : 'off; mounts use /dev/fuse';
  return { what: 'io_uring', state: 'ok', found };
}

async function libfuse(): Promise<Finding> {
  const what = 'fuse-native';
  try {
    const addon = await import('../transport/libfuse/addon.ts');
    addon.libfuse();
    return { what, state: 'ok', found: '--transport libfuse can be used' };
  } catch (error) {
    return refusal(what, 'warn', error);
  }
}

function mountHelper(helper: string): Finding {
  const what = helper;
  if (attempt(() => statSync(helper)) !== undefined) return { what, state: 'ok', found: 'is there' };
  return {
    what,
    state: 'ok',
    found: 'is not there; only mount(8) and fstab would use it',
    remedy: '"ramproc install-helper", as root',
  };
}

async function mounted(): Promise<Finding[]> {
  const all = await survey();
  const wrong = all.flatMap((one) => unwell(one) ?? []);
  const engines = all.flatMap(engineOf);
  if (wrong.length > 0) return [...wrong, ...engines];
  return [{ what: 'mounts', state: 'ok', found: `${all.length}, none of them dead` }, ...engines];
}

/** How it is with the engine of a mount, if it has one, and what isn't as it should be there. */
function engineOf({ dir, engine }: Surveyed): Finding[] {
  if (engine === undefined) return [];
  const what = oneName(dir);
  const found = `its engine is ${engineText(engine)}`;
  if (engine.state !== 'connected') {
    const remedy =
      engine.state === 'file lost'
        ? `unmount it, and mount it again, with what "ramproc shared load" puts there, or empty`
        : `"ramproc doctor --on ${engine.url}" says what is in the way`;
    return [{ what, state: 'warn', found, remedy }];
  }
  const lacks = engine.lacks.map((one): Finding => ({ ...one, what, state: 'warn' }));
  return [{ what, state: 'ok', found }, ...lacks];
}

function unwell({ dir, state, pid, user }: Surveyed): Finding | undefined {
  const what = oneName(dir);
  if (state === 'dead') {
    const unmount = isRoot() || user === process.geteuid?.() ? 'fusermount3 -u' : 'sudo umount';
    return { what, state: 'warn', found: 'its daemon is dead', remedy: `"${unmount} ${shellWord(dir)}"` };
  }
  if (state !== 'not answering') return undefined;
  const remedy =
    pid === undefined
      ? `"ramproc unmount --force ${shellWord(dir)}"`
      : `"kill -CONT ${pid}", or "kill ${pid}"`;
  return { what, state: 'warn', found: 'its daemon does not answer', remedy };
}

function oneName(dir: string): string {
  return shellWord(dir) === dir ? dir : quote(dir);
}

/** What mounting itself says of settings: `found` when they can be had, else its own words. */
function asPlanned(
  what: string,
  settings: Settings,
  otherwise: Health,
  found: (most: number) => string,
): Finding {
  try {
    const [file] = plan(settings).files;
    return { what, state: 'ok', found: found(file?.maxSize ?? 0) };
  } catch (error) {
    return refusal(what, otherwise, error);
  }
}

/** The words of a refusal: what is before its last semicolon, and what to do. */
function refusal(what: string, state: Health, error: unknown): Finding {
  if (!(error instanceof MountError)) throw error;
  const [, why = '', remedy] = message(error).match(/^(.*?)(?:; ([^;]*))?\.$/s) ?? [];
  return { what, state, found: why, remedy };
}

function lacking(what: string, state: Health, { why, remedy }: Lack): Finding {
  return { what, state, found: why, remedy };
}
