import {
  type Described,
  type Flag,
  type Kind,
  MOUNTED,
  type Model,
  mountOptions,
  type Word,
} from './model.ts';

/** Completion for bash, with or without the package bash-completion. */
export function bash({ commands, flags, version }: Model): string {
  const names = commands.flatMap((command) => command.names);
  return `# bash completion for ramproc ${version}, made by "ramproc completion bash". It needs no other program but awk.

# What is mounted, as it is: compgen would evaluate it, and anybody can mount on a name like $(command).
_ramproc_mounted() {
  local dir
  compopt -o filenames
  while IFS= read -r dir; do
    if [[ $dir = "$1"* ]]; then COMPREPLY+=("$dir"); fi
  done < <(${MOUNTED})
}

# The words of -o that continue the last of a list.
_ramproc_mount_options() {
  local done= word
  case $1 in *,*) done=\${1%,*}, ;; esac
  COMPREPLY=($(compgen -W '${mountOptions().join(' ')}' -- "\${1##*,}"))
  for word in "\${!COMPREPLY[@]}"; do COMPREPLY[word]=$done\${COMPREPLY[word]}; done
  compopt -o nospace
}

# Names of files, a name that has a space in it as one.
_ramproc_files() {
  local IFS=$'\\n'
  compopt -o filenames
  COMPREPLY+=($(compgen "$1" -- "$2"))
}

_ramproc_words() {
  local IFS=$'\\n'
  COMPREPLY+=($(compgen -W "$1" -- "$2"))
}

_ramproc() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= word skip=
  # bash makes three words of --name=value.
  if [ "$cur" = = ]; then cur=
  elif [ "$prev" = = ]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) command=$word; break ;; esac
  done
  COMPREPLY=()
  case $command in
    '')
      _ramproc_words $'${[...names, ...flags.flatMap(spelled)].join('\\n')}' "$cur"
      ;;
${commands.map(ofCommand).join('')}  esac
}

complete -F _ramproc ramproc
`;
}

function ofCommand({ names, flags, words }: Described): string {
  const withValue = flags.filter(({ value }) => value !== undefined);
  const values = withValue.map((flag) => `        ${spelled(flag).join('|')}) ${of(flag.kind)} ;;\n`);
  return `    ${names.join('|')})
      case $prev in
${values.join('')}        *)
          case $cur in
            -*) _ramproc_words $'${flags.flatMap(spelled).join('\\n')}' "$cur" ;;
            *) ${ofWords(words)} ;;
          esac
          ;;
      esac
      ;;
`;
}

/** What any of a command's words can be: which of them it is, isn't counted. */
function ofWords(words: readonly Word[]): string {
  const all = new Set(words.map(({ kind }) => of(kind)));
  all.delete(':');
  return [...all].join('; ') || ':';
}

function of(kind: Kind): string {
  switch (kind) {
    case 'file':
      return '_ramproc_files -f "$cur"';
    case 'directory':
      return '_ramproc_files -d "$cur"';
    case 'mounted':
      return '_ramproc_mounted "$cur"';
    case 'user':
      return 'COMPREPLY=($(compgen -u -- "$cur"))';
    case 'group':
      return 'COMPREPLY=($(compgen -g -- "$cur"))';
    case 'mount options':
      return '_ramproc_mount_options "$cur"';
    case 'anything':
      return ':';
    default:
      return `_ramproc_words $'${kind.join('\\n')}' "$cur"`;
  }
}

function spelled({ short, long }: Flag): string[] {
  return short === undefined ? [long] : [short, long];
}
