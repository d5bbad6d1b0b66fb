import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/daemon/doctor.ts';
import { closeDeviceToOthers, openDeviceToAll } from '../support/device.ts';
import { type Ended, mount, ramproc, runs } from '../support/mount.ts';
import { ramprocAsNobody } from '../support/nobody.ts';
import { bashAsNobody, shellDir } from '../support/shell.ts';

/** What was found of one thing, and the exit status. */
function found({ status, stdout }: Ended, what: string): Partial<Finding> & { status: number } {
  const all: Finding[] = JSON.parse(stdout);
  return { status, ...all.find((one) => one.what === what) };
}

/** The command's words behind its name, without the end of the sentence. */
const words = ({ stderr }: Ended) => stderr.replace(/^ramproc: |\.\n$/g, '');

test('where root can mount, nothing fails, and the table has a line for each thing', async () => {
  const { status, stdout, stderr } = await ramproc('doctor');
  expect([status, stderr]).toEqual([0, '']);
  const [heading, ...lines] = stdout.trim().split('\n');
  expect(heading).toMatch(/^STATE +WHAT +FOUND$/);
  expect(lines.map((line) => line.split(/ +/)[1])).toEqual(
    expect.arrayContaining([
      'kernel',
      '/dev/fuse',
      'fusermount3',
      'memory',
      'limits',
      '--secret',
      'fuse-native',
    ]),
  );
  for (const line of lines) expect(line).toMatch(/^(ok|warn) /);
  await using at = await mount();
  expect(at.pid).toBeGreaterThan(0);
});

describe('what mounting refuses is found before, in its own words', () => {
  test('a device that may not be opened', async () => {
    using _device = closeDeviceToOthers();
    const doctor = found(await ramprocAsNobody('doctor', '--json'), '/dev/fuse');
    expect(doctor).toMatchObject({ status: 1, state: 'FAIL' });
    const dir = shellDir();
    const refused = await bashAsNobody(dir, 'mkdir m; ramproc mount m');
    expect(words(refused)).toBe(`${doctor.found}; ${doctor.remedy}`);
  });

  test('passthrough without its capability', async () => {
    using _device = openDeviceToAll();
    const doctor = found(await ramprocAsNobody('doctor', '--json'), '--io passthrough');
    expect(doctor).toMatchObject({ status: 0, state: 'warn' });
    const refused = await bashAsNobody(shellDir(), 'mkdir m; ramproc mount m --io passthrough');
    expect(words(refused)).toBe(`${doctor.found}; ${doctor.remedy}`);
  });

  test('a limit on locked memory, and one on addresses', async () => {
    using _device = openDeviceToAll();
    const dir = shellDir();
    const locked = found(await bashAsNobody(dir, 'ulimit -l 64; ramproc doctor --json'), '--secret');
    expect(locked).toMatchObject({ status: 0, state: 'warn' });
    const refused = await bashAsNobody(dir, 'ulimit -l 64; mkdir m; ramproc mount m --secret');
    expect(words(refused)).toBe(`${locked.found}; ${locked.remedy}`);
    expect(
      found(await bashAsNobody(dir, 'ulimit -v 2000000; ramproc doctor --json'), 'limits'),
    ).toMatchObject({ status: 1, state: 'FAIL', remedy: 'raise it' });
  });

  test('fusermount3 that is missing, for who needs it', async () => {
    using _device = openDeviceToAll();
    const dir = shellDir();
    for (const name of ['node', 'bash', 'env']) {
      symlinkSync(name === 'node' ? process.execPath : `/bin/${name}`, join(dir, name));
    }
    const doctor = found(await bashAsNobody(dir, 'PATH=$PWD ramproc doctor --json'), 'fusermount3');
    expect(doctor).toMatchObject({
      ...{ status: 1, state: 'FAIL', found: 'fusermount3 is missing; you need it to mount' },
      remedy: '"apt install fuse3", or the like',
    });
  });
});

test('a dead mount is named, with the command that takes it away', async () => {
  await using at = await mount();
  process.kill(at.pid, 'SIGKILL');
  await expect.poll(() => runs(at.pid)).toBe(false);
  expect(found(await ramproc('doctor', '--json'), at.dir)).toMatchObject({
    ...{ status: 0, state: 'warn', found: 'its daemon is dead', remedy: `"fusermount3 -u ${at.dir}"` },
  });
});
