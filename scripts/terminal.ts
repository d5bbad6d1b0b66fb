/**
 * npm run terminal: draws the README's picture of a terminal, from a run of the commands in one: each on a pseudo-terminal of
 * script(1), as a person would see it. Needs root, for namespaces in which nothing else runs and nothing else is mounted.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeProgram } from '../src/cli/program.ts';

const PICTURE = join(import.meta.dirname, 'terminal.svg');
const COMMAND = join(import.meta.dirname, '../bin/ramproc.js');
/** Empty in those namespaces. */
const HOME = '/mnt';
const COLUMNS = 110;
const ROWS = 30;

/** What is shown; what isn't a command of this version is left out. How long one that goes on is looked at, in seconds. */
const session: readonly { readonly line: string; readonly ends?: number }[] = [
  { line: 'mkdir ram && ramproc mount ram -s 1G' },
  { line: 'seq 1000000 >ram/rust-proc-file && ls -lh ram' },
  { line: 'ramproc list' },
  { line: 'ramproc top', ends: 3 },
  { line: 'ramproc unmount -v ram' },
];

const known = new Set((await makeProgram()).commands.map((command) => command.name()));
const isKnown = (line: string) =>
  [...line.matchAll(/\bramproc (\w+)/g)].every(([, name = '']) => known.has(name));

/** What a command shows on a terminal of its own; of one that draws again and again the last whole picture. */
function shown(line: string, ends: number | undefined): string[] {
  const limited = ends === undefined ? line : `timeout --foreground -s INT ${ends} ${line}`;
  const sized = `stty cols ${COLUMNS} rows ${ROWS}; ${limited}`;
  const { stdout, error } = spawnSync('script', ['-qec', sized, '/dev/null'], {
    cwd: HOME,
    env: { PATH: `${HOME}/.bin:${process.env.PATH}`, HOME, TERM: 'xterm', LANG: 'C.UTF-8' },
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are told what to do by them.
  const pictures = stdout.split(/\x1b\[(?:\d*;?\d*H|2J|\?1049[hl])/).filter((part) => part.trim() !== '');
  const last = (ends === undefined ? stdout : (pictures.at(-2) ?? pictures.at(-1))) ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
  const plain = last.replace(/\x1b(?:\[[\d;?]*[A-Za-z]|[()][A-Z0-9]|[=>78])/g, '');
  return plain
    .split('\n')
    .map((row) => row.replace(/\r$/, '').replace(/.*\r/, '').trimEnd())
    .slice(0, ROWS);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A terminal with these rows. The letters' width is 0.6 of their size in all fonts that it names. */
function draw(rows: readonly string[]): string {
  const [size, height, margin] = [13, 19, 16];
  const width = Math.max(...rows.map((row) => row.length), 60) * size * 0.6 + 2 * margin;
  const texts = rows.map((row, i) => {
    const y = 2.6 * margin + i * height;
    const [, prompt = '', words = row] = row.match(/^(\$ )(.*)$/s) ?? [];
    const start = prompt === '' ? '' : `<tspan class="prompt">${prompt}</tspan>`;
    return `<text x="${margin}" y="${y}" class="${prompt === '' ? 'said' : 'typed'}">${start}${escaped(words)}</text>`;
  });
  const total = 2.6 * margin + rows.length * height;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(width)}" height="${Math.ceil(total)}" role="img">
<title>A terminal: ramproc mounts, lists and unmounts</title>
<style>
  rect { fill: #1d2430 }
  text { font: ${size}px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre }
  .typed { fill: #fff; font-weight: bold }
  .said { fill: #c5cedb }
  .prompt { fill: #6cc47b }
</style>
<rect width="100%" height="100%" rx="8"/>
${['#e06c60', '#e5b84d', '#6cc47b'].map((fill, i) => `<circle cx="${margin + 4 + i * 16}" cy="14" r="4.5" fill="${fill}"/>`).join('')}
${texts.join('\n')}
</svg>
`;
}

function record(): void {
  mkdirSync(join(HOME, '.bin'));
  symlinkSync(COMMAND, join(HOME, '.bin/ramproc'));
  const rows = session
    .filter(({ line }) => isKnown(line))
    .flatMap(({ line, ends }) => [`$ ${line}`, ...shown(line, ends).filter((row) => row !== ''), '']);
  writeFileSync(PICTURE, draw(rows.slice(0, -1)));
}

const ALONE = '--alone';
if (process.argv.includes(ALONE)) record();
else {
  const forget = `awk '$3 == "fuse.ramproc" { print $2 }' /proc/self/mounts | xargs -r umount -l`;
  const script = `${forget}; mount -t tmpfs none ${HOME} && exec npx tsx "$0" ${ALONE}`;
  const alone = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const { status } = spawnSync('unshare', [...alone, 'sh', '-c', script, import.meta.filename], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
