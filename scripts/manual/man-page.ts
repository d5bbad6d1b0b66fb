import type { Described, Flag, Model } from './model.ts';

/** The longest line of the source, which mandoc and people like short. */
const WIDTH = 78;

/** The manual page, in the macros of man(7). */
export function manPage(model: Model, date: string): string {
  const { commands, version, lists } = model;
  return [
    `.TH RAMPROC 1 ${date} "ramproc ${version}" "User Commands"`,
    '.SH NAME',
    'ramproc \\- a file in RAM, in a directory like /proc',
    '.SH SYNOPSIS',
    commands.map(synopsis).join('\n.PP\n'),
    '.SH DESCRIPTION',
    ...paragraph(
      'Mounts directories like /proc, in which a file stands that is backed by RAM alone, and tells of what is mounted. Each command has a help of its own: add --help.',
    ),
    '.SH COMMANDS',
    ...commands.flatMap(section),
    '.SH OPTIONS',
    ...model.flags.flatMap(item),
    ...Object.entries(lists).flatMap(([heading, items]) =>
      list(heading.replace(':', '').toUpperCase(), items),
    ),
    '.SH FILES',
    ...tagged('/sbin/mount.fuse.ramproc', 'what mount(8) runs for the type fuse.ramproc: see install-helper'),
    ...tagged('/etc/fuse.conf', 'whether ordinary users may let other users in: user_allow_other'),
    '.SH SEE ALSO',
    '.BR mount (8),',
    '.BR fusermount3 (1),',
    '.BR fstab (5),',
    '.BR proc (5),',
    '.BR tmpfs (5)',
    '',
  ].join('\n');
}

function synopsis({ names: [name = ''], words }: Described): string {
  const options = '[\\fIoption\\fR]...';
  return `.B ramproc ${name}\n${[options, ...words.map(({ shown }) => placeholders(text(shown)))].join(' ')}`;
}

function section({ names: [name = '', ...aliases], description, words, flags, lists }: Described): string[] {
  const also = aliases.length === 0 ? '' : ` Also called ${aliases.join(', ')}.`;
  return [
    `.SS ramproc ${text(name)}`,
    ...paragraph(description + also),
    ...words.flatMap(({ shown, help }) =>
      help === '' ? [] : ['.TP', placeholders(text(shown)), ...paragraph(help)],
    ),
    ...flags.flatMap(item),
    ...Object.entries(lists)
      .filter(([heading]) => heading !== 'Exit status:')
      .flatMap(([heading, items]) => ['.PP', text(heading), '.RS', ...items.flatMap(pair), '.RE']),
  ];
}

function item({ short, long, value, help, fallback }: Flag): string[] {
  const names = [short, long].flatMap((name) => (name === undefined ? [] : bold(name))).join(', ');
  const written = value === undefined ? names : `${names} ${placeholders(text(value))}`;
  return ['.TP', written, ...paragraph(fallback === undefined ? help : `${help} (default: ${fallback})`)];
}

function list(heading: string, items: readonly (readonly [string, string])[]): string[] {
  return [`.SH ${heading}`, ...items.flatMap(pair)];
}

function pair([term, what]: readonly [string, string]): string[] {
  return tagged(term, what);
}

function tagged(term: string, what: string): string[] {
  return ['.TP', bold(term), ...paragraph(what)];
}

function bold(word: string): string {
  return `\\fB${text(word)}\\fR`;
}

/** `<size>` as people write it: size, in italics. */
function placeholders(written: string): string {
  return written.replace(/<(.*?)>/g, '\\fI$1\\fR').replace(/\[([\w.]+)\]/g, '[\\fI$1\\fR]');
}

/** Lines of text, none of which begins as a request does. */
function paragraph(words: string): string[] {
  const lines = [''];
  for (const word of words.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length < WIDTH) lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map(text);
}

function text(line: string): string {
  return line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('…', '\\&...')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('`', '\\(ga')
    .replace(/^\./, '\\&.');
}
