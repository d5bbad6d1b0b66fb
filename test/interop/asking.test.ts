import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { aloneWith, bash, shellDir } from '../support/shell.ts';

const PROJECT = join(import.meta.dirname, '../..');

/** What the README begins with. */
const FIRST_SESSION = `
  say() { echo "\\$ $1"; }
  fill() { dd if=/dev/zero of=ram/rust-proc-file bs=4k count=5000 status=none; }
  mkdir ram; say 'ramproc mount /tmp/ram'; ramproc mount ram
  say 'dd if=/dev/zero of=/tmp/ram/rust-proc-file bs=4k count=5000 status=none'; fill
  say 'ramproc list'; ramproc list
  (until [ -e done ]; do fill; done) &
  say 'ramproc top'; ramproc top | cat
  touch done; wait
  say 'ramproc unmount /tmp/ram'; ramproc unmount ram
`;

/** All that the page shows, one after the other, on a machine where nothing else is mounted by ramproc, once a worker serves. */
const SESSION = `
  mkdir ram; ramproc mount ram >mounted
  say() { echo "\\$ $1"; }
  say 'ramproc doctor'; ramproc doctor
  dd if=/dev/zero of=ram/rust-proc-file bs=4k count=5000 2>/dev/null; cat ram/rust-proc-file >copy; ls ram/none 2>/dev/null
  until ramproc stats ram | grep -q '^worker 0 *[1-9]'; do cat ram/rust-proc-file >copy; done
  say 'ramproc list'; ramproc list
  say 'ramproc stats /tmp/ram'; ramproc stats ram
  (until [ -e done ]; do dd if=/dev/zero of=ram/rust-proc-file bs=4k count=5000 2>/dev/null; done) &
  say 'ramproc top | cat'; ramproc top | cat
  touch done; wait
  say 'ramproc trace /tmp/ram --filter open,read,write,setattr'
  ramproc trace ram --filter open,read,write,setattr >lines 2>words &
  until grep -qs Tracing words; do sleep 0.05; done
  echo hello >ram/rust-proc-file; cat ram/rust-proc-file >copy
  until [ "$(grep -cs READ lines)" = 2 ]; do sleep 0.05; done
  kill $!; wait; cat words lines
  ramproc unmount ram
`;

/** A thread that there is once the first one called for help, as it may or may not. */
const FURTHER = /^worker [1-9]/;

/** What commands printed, by the commands: of the page what stands in its blocks, of the session all. */
function transcripts(text: string): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  let lines: string[] | undefined;
  for (const line of text.split('\n')) {
    const [, command] = line.match(/^\$ (.*)$/) ?? [];
    if (command !== undefined) {
      lines = [];
      all[command] = lines;
    } else if (line !== '' && line !== '```' && !FURTHER.test(line)) lines?.push(masked(line));
  }
  // The order of what is counted depends on how often it was.
  return Object.fromEntries(Object.entries(all).map(([command, said]) => [command, said.sort()]));
}

/** A line without what is another each time: times, numbers, how wide columns are, and what a machine has. */
function masked(line: string): string {
  return line
    .replace(/^(ok|warn|FAIL) +(\S.*?) {2,}.*$/, 'STATE $2')
    .replace(/(?<![\w-])[\d][\d.:-]*( (us|ms|s|%|B|KiB|MiB|GiB)(?!\w))?/g, '#')
    .replace(/ +/g, ' ')
    .replace(/ -(?= |$)/g, ' #');
}

test.each([
  { page: 'README.md', what: /^```console\n(.*?)^```$/ms, session: FIRST_SESSION },
  { page: 'docs/asking.md', what: /^```\n(.*?)^```$/gms, session: SESSION },
])('the transcripts of $page are what the commands print', async ({ page, what, session }) => {
  const dir = shellDir();
  writeFileSync(join(dir, 'session'), aloneWith({}, session));
  const { status, stdout, stderr } = await bash(
    dir,
    'unshare --mount --pid --fork --mount-proc bash session',
  );
  expect([status, stderr]).toEqual([0, '']);
  const blocks = readFileSync(join(PROJECT, page), 'utf8').match(what) ?? [];
  const shown = transcripts(blocks.join('\n'));
  expect(Object.keys(shown)).toHaveLength(5);
  const said = stdout.replaceAll(join(dir, 'ram'), '/tmp/ram');
  expect(shown, `It is now:\n${said}`).toEqual(transcripts(said));
});
