import { type Described, type Flag, type Kind, MOUNTED, type Model, mountOptions } from './model.ts';

/** Completion for zsh: as a file of a directory in $fpath, or evaluated after compinit. */
export function zsh({ commands, flags, version }: Model): string {
  return `#compdef ramproc
# zsh completion for ramproc ${version}, made by "ramproc completion zsh".

_ramproc_mounted() {
  local -a mounted
  mounted=(\${(f)"$(${MOUNTED})"})
  compadd -a mounted
}

_ramproc_mount_options() {
  _values -s , 'mount option' ${mountOptions()
    .map((word) => quoted(word.endsWith('=') ? `${word.slice(0, -1)}:value: ` : word))
    .join(' ')}
}

_ramproc() {
  local context state line curcontext=$curcontext
  local -a commands
  commands=(
${commands.flatMap(({ names, summary }) => names.map((name) => `    ${quoted(`${name}:${summary}`)}\n`)).join('')}  )
  _arguments -C ${flags.map(spec).join(' ')} '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $words[1] in
${commands.map(ofCommand).join('')}      esac
      ;;
  esac
}

if [ "$funcstack[1]" = _ramproc ]; then _ramproc "$@"; else compdef _ramproc ramproc; fi
`;
}

function ofCommand({ names, flags, words }: Described): string {
  const positions = words.map(
    ({ shown, kind, isRepeated }) => `${isRepeated ? '*' : ''}:${shown.replace(/[^\w]/g, '')}:${of(kind)}`,
  );
  return `        ${names.join('|')})
          _arguments -s \\
            ${[...flags.map(spec), ...positions.map(quoted)].join(' \\\n            ')}
          ;;
`;
}

function spec({ short, long, value, kind, help }: Flag): string {
  const what = `[${help.replace(/[[\]\\:]/g, '\\$&')}]`;
  const argument = value === undefined ? '' : `:${value.replace(/[<>]/g, '')}:${of(kind)}`;
  const assigned = value === undefined ? long : `${long}=`;
  if (short === undefined) return quoted(assigned + what + argument);
  // Both exclude each other, but those that may stand there several times.
  const names = `{${short}${value === undefined ? '' : '+'},${assigned}}`;
  const before = long === '--options' ? '*' : `(${short} ${long})`;
  return `${quoted(before)}${names}${quoted(what + argument)}`;
}

function of(kind: Kind): string {
  switch (kind) {
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'mounted':
      return '_ramproc_mounted';
    case 'user':
      return '_users';
    case 'group':
      return '_groups';
    case 'mount options':
      return '_ramproc_mount_options';
    case 'anything':
      return ' ';
    default:
      return `(${kind.join(' ')})`;
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
