import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './mount.ts';
import { makeDir } from './run.ts';

/** The shells' scripts, as `ramproc completion` prints them. */
const SCRIPTS = join(import.meta.dirname, '../../dist/completion');

/** What a shell offers at the end of a command line, without what is there already of a list or an assignment. */
export type Complete = (line: string) => Promise<string[]>;

/** bash calls its function with the words as it splits them, an `=` being one of its own. */
const bash: Complete = (line) => {
  const words = line.split(' ').flatMap((word) => word.split(/(=)/).filter((part) => part !== '' || !word));
  const script = `source ${SCRIPTS}/bash; compopt() { :; }
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ramproc; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return offered('bash', '-c', script, 'bash', ...words);
};

const fish: Complete = (line) =>
  offered(
    'env',
    `HOME=${makeDir('home')}`,
    'fish',
    '--no-config',
    '-c',
    `source ${SCRIPTS}/fish; complete -C "$argv[1]"`,
    line,
  );

/** What the first zsh finds of others' completions, which takes it longer than all else, for those that come after it. */
let dump: string | undefined;

/** zsh completes only in a terminal: its own pseudo-terminal, in which the key says what was added. */
const zsh: Complete = async (line) => {
  const dir = makeDir('zsh');
  dump ??= join(makeDir('dump'), 'dump');
  writeFileSync(
    join(dir, 'inner'),
    `PS1=; autoload -U compinit; compinit -C -d ${dump}; source ${SCRIPTS}/zsh
compadd() {
  if [[ "\${@[1,(i)(-|--)]}" == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a __found; builtin compadd -O __found "$@"; hits+=($__found); builtin compadd "$@"
}
key() { hits=(); zle complete-word; print -l "" "<" $hits ">"; }
zle -N key; bindkey '^T' key; print rea""dy
`,
  );
  writeFileSync(
    join(dir, 'outer'),
    `zmodload zsh/zpty; zpty -b z zsh -f -i; all= part=
until_there() { while [[ $all != *$1* ]]; do zpty -r -t z part && all+=$part || sleep 0.01; done }
zpty -w z "stty -echo; source ${dir}/inner"; until_there $'ready\\r\\n'; all=
zpty -w -n z "$1"$'\\x14'; until_there $'\\r\\n>\\r\\n'; zpty -d z
print -r -- "\${\${all##*$'\\n<\\r\\n'}%%$'>\\r\\n'*}" | tr -d '\\r'
`,
  );
  return offered('zsh', '-f', join(dir, 'outer'), line);
};

export const completions: Readonly<Record<string, Complete>> = { bash, zsh, fish };

/** fish has what it says of a word behind a tab. */
async function offered(program: string, ...parameters: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await run(program, ...parameters);
  if (stderr !== '') throw new Error(stderr);
  const words = stdout.split('\n').map((one) => one.replace(/\t.*/, '').replace(/^.*[,=](?=.)/, ''));
  return [...new Set(words)].filter((word) => word !== '').toSorted();
}
