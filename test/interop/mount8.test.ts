import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDeviceToAll } from '../support/device.ts';
import type { Ended } from '../support/mount.ts';
import { aloneWith, bash, shellDir } from '../support/shell.ts';

/** What a new mount of ours looks like to findmnt. */
const DEFAULTS = 'rw,nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions';

/**
 * Runs a script in a mount namespace whose /sbin, /usr/local/bin and /etc are layers over the machine's, which nobody else
 * sees. In the directory that it begins in, `m` is an empty one; the command is where mount(8) finds it, whose PATH is its own.
 */
function onMachine(script: string, fstab = ''): Promise<Ended> {
  const dir = shellDir();
  // Where no file is called as a source is: mount(8) would make a path of it.
  for (const name of ['layers', 'here', 'here/m']) mkdirSync(join(dir, name));
  writeFileSync(join(dir, 'fstab'), fstab.replaceAll('DIR', `${dir}/here/m`));
  writeFileSync(
    join(dir, 'script'),
    aloneWith(
      {},
      `set -e; mount -t tmpfs none layers
for over in "$(realpath /sbin)" /usr/local/bin /etc; do
  upper=$PWD/layers/\${over//\\//_}; mkdir "$upper" "$upper.work"
  mount -t overlay overlay -o "lowerdir=$over,upperdir=$upper,workdir=$upper.work" "$over"
done
rm -f /sbin/mount.fuse.ramproc; cp ramproc /usr/local/bin; cp fstab /etc/fstab; cd here
helper() { ramproc install-helper >/dev/null; }
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
shown() { findmnt -rn -o SOURCE,FSTYPE,OPTIONS "$PWD/m"; }
${script}`,
    ),
  );
  return bash(dir, 'unshare --mount bash script');
}

describe('mount(8) with the helper', () => {
  test('mounts a line of fstab by its directory, says nothing, and finds it mounted the second time', async () => {
    const fstab = 'ramproc DIR fuse.ramproc max_size=1G,mode=0600,nofail,x-systemd.automount,_netdev 0 0\n';
    const script = `helper; mount -T ../fstab m; shown; stat -c %a:%n m/*; df -k --output=size m
      mount -T ../fstab -a; umount m; mount -T ../fstab -a; shown; umount m`;
    const line = `ramproc fuse.ramproc ${DEFAULTS}\n`;
    expect(await onMachine(script, fstab)).toEqual({
      status: 0,
      stdout: `${line}600:m/rust-proc-file\n1K-blocks\n  1048576\n${line}`,
      stderr: '',
    });
  });

  test.each(['ramproc', 'unmount', 'none', '-f', "a b,c\\d'$x", 'mount-helper'])(
    'takes %j as a source',
    async (source) => {
      const written = `'${source.replaceAll("'", "'\\''")}'`;
      const script = `helper; mount -t fuse.ramproc -- ${written} m; findmnt -rn -o SOURCE "$PWD/m"; umount m`;
      const { stdout, stderr, status } = await onMachine(script);
      const shown = stdout
        .trimEnd()
        .replace(/\\x([0-9a-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
      expect([status, shown, stderr]).toEqual([0, source, '']);
    },
  );

  test('lets the user in whom fstab lets mount and unmount, as that user', async () => {
    using _device = openDeviceToAll();
    const script = `helper; chown 65534 m; nobody mount "$PWD/m"; shown; nobody sh -c 'stat -c %U m/*'
      nobody umount "$PWD/m"; shown || echo gone`;
    const { stdout, stderr, status } = await onMachine(script, 'ramproc DIR fuse.ramproc user 0 0\n');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^ramproc fuse.ramproc rw,nosuid,nodev,noexec,.*user_id=65534,.*\nnobody\ngone\n$/,
    );
  });

  test('mounts as the user of setuid=', async () => {
    using _device = openDeviceToAll();
    const script = 'helper; chown 65534 m; mount -t fuse.ramproc r m -o setuid=nobody; shown; umount m';
    const { stdout, stderr, status } = await onMachine(script);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('user_id=65534,group_id=65534');
  });

  test('goes to another mount namespace, and mounts nothing with --fake', async () => {
    const script = `helper; mount -f -t fuse.ramproc r m; shown || echo nothing
      unshare --mount sleep 600 & until [ "$(readlink /proc/$!/exe)" = "$(realpath "$(command -v sleep)")" ]; do sleep 0.01; done
      mount -N $! -t fuse.ramproc r "$PWD/m"; shown || echo nothing here
      nsenter -m -t $! umount "$PWD/m" && echo unmounted there; kill $!; wait $! || true`;
    const { stdout, stderr, status } = await onMachine(script);
    expect([status, stdout, stderr]).toEqual([0, 'nothing\nnothing here\nunmounted there\n', '']);
  });

  test('says what it mounted with -v, and passes over what is unknown with -s', async () => {
    const script =
      'helper; mount -v -s -t fuse.ramproc r m -o bogus; umount m; mount -t fuse.ramproc r m -o bogus';
    const { status, stdout, stderr } = await onMachine(script);
    expect(stdout).toMatch(/rust-proc-file is there/);
    expect(stderr).toBe('ramproc: The mount option "bogus" is unknown.\n(add --help for the options)\n');
    expect(status).toBe(1);
  });

  test('understands each option that mount(8) has for every file system, for root and for others', async () => {
    using _device = openDeviceToAll();
    const words = [
      'async',
      'atime',
      'noatime',
      'auto',
      'noauto',
      'context=x',
      'fscontext=x',
      'defcontext=x',
      'rootcontext=x',
      'defaults',
      'dev',
      'nodev',
      'diratime',
      'nodiratime',
      'dirsync',
      'exec',
      'noexec',
      'group',
      'iversion',
      'noiversion',
      'mand',
      'nomand',
      '_netdev',
      'nofail',
      'relatime',
      'norelatime',
      'strictatime',
      'nostrictatime',
      'lazytime',
      'nolazytime',
      'suid',
      'nosuid',
      'silent',
      'loud',
      'owner',
      'ro',
      'rw',
      'sync',
      'user',
      'nouser',
      'users',
      'X-a.b',
      'x-a.b',
      'x-a.b=5',
      'comment=c',
      'X-mount.mkdir',
    ];
    // One by one as root, and all of them as another user.
    const script = `helper; chown 65534 m
      for word in ${words.join(' ')}; do
        mount -t fuse.ramproc r m -o $word; shown; umount m
      done 2>&1 | sort | uniq -c
      nobody /sbin/mount.fuse.ramproc r "$PWD/m" -o ${words.join()}; echo "nobody: $(shown)"; nobody umount "$PWD/m"`;
    const { status, stdout, stderr } = await onMachine(script);
    expect([status, stderr]).toEqual([0, '']);
    const [alone = '', together] = stdout.split(/^nobody: /m);
    expect(together).toMatch(/^r fuse\.ramproc rw,nosuid,nodev,.*user_id=65534,.*\n$/);
    const lines = alone.trim().split('\n');
    const options = lines.map((line) => line.trim().split(' ').at(-1));
    const others = DEFAULTS.replace('rw,nosuid,nodev,relatime,', '');
    expect(new Set(options)).toEqual(
      new Set([
        DEFAULTS,
        ...['nosuid,nodev,noexec,relatime', 'nosuid,nodev,noatime', 'nosuid,nodev'].map(
          (flags) => `rw,${flags},${others}`,
        ),
        `rw,nosuid,nodev,nodiratime,relatime,${others}`,
        `ro,nosuid,nodev,relatime,${others}`,
        `rw,nosuid,nodev,relatime,sync,${others}`,
        `rw,nosuid,nodev,relatime,dirsync,${others}`,
        `rw,nosuid,nodev,relatime,lazytime,${others}`,
      ]),
    );
  });

  test('follows no links where it was asked not to, and says when fusermount3 is too old for that', async () => {
    using _device = openDeviceToAll();
    const script = `helper; mount -t fuse.ramproc r m -o nosymfollow; shown; umount m
      nobody /sbin/mount.fuse.ramproc r "$PWD/m" -o nosymfollow || echo refused; umount m 2>/dev/null || true`;
    const { stdout } = await onMachine(script);
    expect(stdout).toMatch(/^r .*,nosymfollow,.*\n(refused\n)?$/);
  });
});

describe('mount(8) without the helper, by mount.fuse', () => {
  test.each([
    ['-t fuse.ramproc ramproc', 'ramproc'],
    ['-t fuse.ramproc notes', 'notes'],
    ['-t fuse ramproc', 'ramproc'],
    ["-t fuse 'ramproc#my notes'", 'my\\x20notes'],
  ])('mounts by "mount %s"', async (words, source) => {
    const script = `mount ${words} m -o max_size=1G,nofail,_netdev,relatime; shown; df -k --output=size m; umount m`;
    expect(await onMachine(script)).toEqual({
      status: 0,
      // It adds "suid" and "dev".
      stdout: `${source} fuse.ramproc ${DEFAULTS.replace('nosuid,nodev,', '')}\n1K-blocks\n  1048576\n`,
      stderr: '',
    });
  });

  test('refuses the name of a command as a source, with what to do', async () => {
    const { status, stdout, stderr } = await onMachine('mount -t fuse.ramproc unmount m');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^ramproc: Cannot mount "unmount" on ".*\/m": a command has this name, .* run "ramproc install-helper", or choose another name\.\n/,
    );
  });
});

describe('mount(8) -o remount', () => {
  const FSTAB =
    'ramproc DIR fuse.ramproc max_size=1G,mode=0600,io=cached,nofail,x-systemd.automount,_netdev 0 0\n';
  const size = 'df -k --output=size m | tail -1';

  test.each(['helper;', ''])(
    'changes what is said, and takes for granted what is so: "%s"',
    async (helper) => {
      const script = `${helper} ramproc mount m -s 1G --allow-other -o noexec >/dev/null
      mount -o remount,max_size=2G m; ${size}; shown; mount -o remount m; ${size}; mount -o remount,size=3G "$PWD/m"; ${size}
      mount -o remount,ro,mode=0600 m; shown; stat -c %a m/*; mount -o remount,rw m; seq 2000 >m/rust-proc-file; shown
      ${helper && 'mount -f -o remount,size=4G m;'} ${size}; mount -o remount,size=1 m || ${size}; mount -o remount,io=cached m || ${size}
      exec 3>>m/rust-proc-file; mount -o remount,ro,size=4G m || { shown; ${size}; }; exec 3>&-; umount m`;
      const { status, stdout, stderr } = await onMachine(script);
      const shown = (word: string) =>
        `ramproc fuse.ramproc ${word},nosuid,nodev,noexec,relatime,user_id=0,group_id=0,default_permissions,allow_other\n`;
      const three = '  3145728\n';
      expect(stdout).toBe(
        `  2097152\n${shown('rw')}  2097152\n${three}${shown('ro')}600\n${shown('rw')}${three.repeat(3)}${shown('rw')}${three}`,
      );
      expect(stderr.replace(/"\/.*?"/g, 'DIR').replace(/process.*; end/, 'process; end')).toBe(
        [
          'ramproc: Cannot remount DIR: it takes 12 KiB (12288 bytes), more than the 1 bytes that it is to have; make the file smaller first, or say more.',
          'ramproc: Cannot remount DIR: "--io cached" can\'t be while it is mounted, where it is direct; leave it out, or unmount it and mount it with that.',
          'ramproc: Cannot remount DIR: a file in it is open for writing, by process; end that first.',
          '',
        ].join('\n'),
      );
      expect(status).toBe(0);
    },
  );

  test.each(['helper;', ''])('makes a line of fstab true again, also a changed one: "%s"', async (helper) => {
    const script = `${helper} mount -T ../fstab m; ramproc remount m -s 5G -m 0640; ${size}; stat -c %a m/*
      mount -o remount m; ${size}; stat -c %a m/*; mount -o remount,max_size=2G m; ${size}; shown
      sed -i s/1G/3G,ro/ /etc/fstab; mount -o remount m; ${size}; shown; umount m`;
    const { status, stdout, stderr } = await onMachine(script, FSTAB);
    expect([status, stderr]).toEqual([0, '']);
    const flags = helper === '' ? 'relatime' : 'nosuid,nodev,relatime';
    const shown = (word: string) =>
      `ramproc fuse.ramproc ${word},${flags},user_id=0,group_id=0,default_permissions\n`;
    expect(stdout).toBe(`  5242880\n640\n  1048576\n600\n  2097152\n${shown('rw')}  3145728\n${shown('ro')}`);
  });
});

describe('ramproc install-helper', () => {
  test('writes what it removes again, and nothing of anybody else', async () => {
    const script = `helper=/sbin/mount.fuse.ramproc; ramproc install-helper; stat -c %a $helper; ramproc install-helper
      ramproc install-helper --remove; ls $helper* || true; ramproc install-helper --remove
      echo theirs >$helper; ramproc install-helper || cat $helper; ramproc install-helper --remove || cat $helper`;
    const { stdout, stderr } = await onMachine(script);
    const written = '/sbin/mount.fuse.ramproc is written; "ramproc install-helper --remove" removes it.\n';
    const removed = '/sbin/mount.fuse.ramproc is removed.\n/sbin/mount.fuse.ramproc is not there.\n';
    expect(stdout).toBe(`${written}755\n${written}${removed}theirs\ntheirs\n`);
    expect(stderr).toContain(
      'ramproc: Cannot write /sbin/mount.fuse.ramproc: somebody else wrote it; look at it, and remove it yourself.\n',
    );
  });
});
