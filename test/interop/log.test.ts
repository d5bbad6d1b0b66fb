import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Datagrams } from '../support/datagrams.ts';
import { openDeviceToAll } from '../support/device.ts';
import { readLog } from '../support/log.ts';
import { Mount, mount, ramproc } from '../support/mount.ts';
import { makeDir } from '../support/run.ts';
import { aloneWith, bash, shellDir } from '../support/shell.ts';
import { startRamproc } from '../support/started.ts';

/**
 * Shell words for a machine of its own: /dev/log and the journal's socket are those in the directory, and no others. What is
 * mounted on files of /dev isn't in the layer over it.
 */
const services = (...there: readonly string[]) => `set -e; dir=$PWD; mkdir -p m layers; chmod 777 m
  mode=$(stat -c %a /dev/fuse); mount -t tmpfs none layers; mkdir layers/upper layers/work
  mount -t overlay overlay -o "lowerdir=/dev,upperdir=$dir/layers/upper,workdir=$dir/layers/work" /dev
  chmod "$mode" /dev/fuse; rm -f /dev/log; mount -t tmpfs none /run; mkdir -p /run/systemd/journal
  ${there.includes('syslog') ? 'ln -s "$dir/syslog" /dev/log' : ''}
  ${there.includes('journal') ? 'ln -s "$dir/journal" /run/systemd/journal/socket' : ''}
  mounted() { ramproc mount m "$@" >/dev/null; pid=$(pgrep -nf "^ramproc $dir/m"); }
  end() { kill "$1" $pid; while [ -e /proc/$pid/root ]; do sleep 0.01; done; }
`;

/** Runs a script on such a machine. */
function onMachine(dir: string, there: readonly string[], script: string) {
  writeFileSync(`${dir}/script`, aloneWith({}, `${services(...there)}${script}`));
  return bash(dir, 'unshare --mount bash script');
}

describe('the messages of a daemon in the background', () => {
  test.each([
    ['the journal', ['syslog', 'journal'], ['journal']],
    ['syslog, where there is no journal', ['syslog'], ['syslog']],
  ])('go to %s by default', async (_, there, expected) => {
    const dir = shellDir();
    using syslog = new Datagrams(`${dir}/syslog`);
    using journal = new Datagrams(`${dir}/journal`);
    const { status, stderr } = await onMachine(dir, there, 'mounted; end -TERM');
    expect([status, stderr]).toEqual([0, '']);
    const all = { syslog: syslog.all, journal: journal.all };
    expect(Object.entries(all).flatMap(([name, { length }]) => (length > 0 ? [name] : []))).toEqual(expected);
    const [entry = ''] = [...all.syslog, ...all.journal];
    if (expected.includes('syslog')) {
      // Facility daemon, priority warning: RFC 3164.
      expect(entry).toMatch(
        /^<28>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d ramproc\[\d+\]: SIGTERM, unmounting ".*\/m"$/,
      );
    } else expect(fields(entry).MESSAGE).toBe(`SIGTERM, unmounting "${dir}/m"`);
  });

  test('go nowhere where there is neither, which is no mistake', async () => {
    const dir = shellDir();
    expect(await onMachine(dir, [], 'mounted; end -TERM')).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('are fields of the journal, each message one, with priority and name', async () => {
    const dir = shellDir();
    using journal = new Datagrams(`${dir}/journal`);
    const ended = onMachine(
      dir,
      ['journal'],
      'mounted --log journal -v; until [ -e told ]; do sleep 0.01; done; end -TERM',
    );
    // It says so once the command has taken the mount over, which may end it before.
    await expect.poll(() => journal.all.length).toBe(1);
    await bash(dir, 'touch told');
    await ended;
    const [first, second] = journal.all.map(fields);
    const same = {
      SYSLOG_IDENTIFIER: 'ramproc',
      SYSLOG_FACILITY: '3',
      SYSLOG_PID: expect.stringMatching(/^\d+$/),
    };
    expect(first).toEqual({
      ...same,
      PRIORITY: '6',
      MESSAGE: expect.stringMatching(
        /^mounted ".*" with "rust-proc-file" \(direct, up to .*\): kernel, 2 threads; ramproc /,
      ),
    });
    expect(second).toEqual({ ...same, PRIORITY: '4', MESSAGE: `SIGTERM, unmounting "${dir}/m"` });
  });

  test('go to syslog again after it was started anew, at SIGHUP', async () => {
    const dir = shellDir();
    using old = new Datagrams(`${dir}/syslog`);
    const started = onMachine(
      dir,
      ['syslog'],
      'mounted --log syslog -v; touch ready; until [ -e new ]; do sleep 0.01; done; ln -sf "$dir/new" /dev/log; kill -HUP $pid; until [ -e told ]; do sleep 0.01; done; end -TERM',
    );
    await expect.poll(() => old.all.length).toBe(1);
    using anew = new Datagrams(`${dir}/new`);
    await expect.poll(() => anew.all.length).toBe(1);
    await bash(dir, 'touch told');
    expect((await started).stderr).toBe('');
    expect(anew.all.slice(0, 2).map((line) => line.replace(/^.*?: /, ''))).toEqual([
      'SIGHUP, the log begins here',
      `SIGTERM, unmounting "${dir}/m"`,
    ]);
    expect(old.all).toHaveLength(1);
  });

  test('are there for other users too', async () => {
    using _device = openDeviceToAll();
    const dir = shellDir();
    using journal = new Datagrams(`${dir}/journal`);
    const user = 'setpriv --reuid 65534 --regid 65534 --clear-groups';
    await onMachine(
      dir,
      ['journal'],
      `${user} ramproc mount m >/dev/null; pid=$(pgrep -nf "^ramproc $dir/m"); end -TERM`,
    );
    expect(journal.all.map((entry) => fields(entry).MESSAGE)).toEqual([`SIGTERM, unmounting "${dir}/m"`]);
  });
});

describe('a log in a file', () => {
  test('has time and process on each line, and with --debug each request', async () => {
    const log = `${makeDir('log')}/log`;
    await using at = await mount(['--log', log, '--debug']);
    readFileSync(at.file);
    process.kill(at.pid, 'SIGTERM');
    await at.ended();
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    for (const line of lines) {
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ramproc\[\d+\]: ./);
      expect(line).toContain(`ramproc[${at.pid}]: `);
    }
    expect(readLog(log)).toMatch(/^ramproc: \d+ OPEN \/rust-proc-file flags=\d+.* = .* <[\d.]+ ms>$/m);
    expect(readLog(log)).toMatch(/^ramproc: mounted ".*$/m);
  });

  test('called syslog is ./syslog', async () => {
    const dir = shellDir();
    const { stdout } = await bash(
      dir,
      'mkdir m; ramproc mount m -v --json --log ./syslog; ramproc unmount m',
    );
    const { pid } = JSON.parse(stdout);
    await new Mount({ dir: `${dir}/m`, file: '', pid }).ended();
    expect(readLog(`${dir}/syslog`)).toMatch(/^ramproc: mounted .*\nramproc: ".*" is unmounted\n$/);
  });
});

test('in the foreground -v tells on standard error, with time and process', async () => {
  const dir = makeDir('mount');
  const started = startRamproc('mount', dir, '--foreground', '--verbose');
  await expect.poll(() => started.stderr).toContain('mounted');
  expect((await ramproc('unmount', dir)).status).toBe(0);
  const { how, stdout, stderr } = await started.ended;
  expect(how).toBe(0);
  expect(stdout).toMatch(/^.* is there, .*\n$/);
  expect(stderr).toMatch(/^\S+Z ramproc\[\d+\]: mounted .*\n\S+Z ramproc\[\d+\]: ".*" is unmounted\n$/);
});

/** The fields of an entry for the journal, in its native protocol. */
function fields(entry: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < entry.length; ) {
    const end = entry.indexOf('\n', at);
    const line = entry.slice(at, end);
    at = end + 1;
    if (line.includes('=')) found[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1);
    else {
      const length = Number(Buffer.from(entry.slice(at, at + 8), 'latin1').readBigUInt64LE());
      found[line] = entry.slice(at + 8, at + 8 + length);
      at += 8 + length + 1;
    }
  }
  return found;
}
