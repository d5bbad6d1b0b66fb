import { type Described, type Flag, type Kind, MOUNTED, type Model, mountOptions } from './model.ts';

/** Completion for fish. */
export function fish({ commands, flags, version }: Model): string {
  const names = commands.flatMap((command) => command.names).join(' ');
  const first = `-n 'not __fish_seen_subcommand_from ${names}'`;
  return `# fish completion for ramproc ${version}, made by "ramproc completion fish".

function __ramproc_mounted
    ${MOUNTED.replaceAll('\\', '\\\\')}
end

# The words of -o that continue the last of a list.
function __ramproc_mount_options
    set -l done (string match -r '^.*,' -- (commandline -ct))
    for word in ${mountOptions().join(' ')}
        echo "$done$word"
    end
end

complete -c ramproc -e
complete -c ramproc -f
${flags.map((flag) => `complete -c ramproc ${first} ${option(flag)}\n`).join('')}${commands
  .flatMap(({ names: all, summary }) =>
    all.map((name) => `complete -c ramproc ${first} -a ${name} -d ${quoted(summary)}\n`),
  )
  .join('')}${commands.map(ofCommand).join('')}`;
}

function ofCommand({ names, flags, words }: Described): string {
  const here = `complete -c ramproc -n '__fish_seen_subcommand_from ${names.join(' ')}'`;
  return [
    ...flags.map((flag) => `${here} ${option(flag)}\n`),
    ...new Set(words.map(({ kind }) => `${here} ${of(kind)}\n`)),
  ].join('');
}

function option({ short, long, value, kind, help }: Flag): string {
  const names = `${short === undefined ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}`;
  const values = value === undefined ? '' : ` -r ${of(kind)}`;
  return `${names}${values} -d ${quoted(help)}`;
}

function of(kind: Kind): string {
  switch (kind) {
    case 'file':
      return '-F';
    case 'directory':
      return "-f -a '(__fish_complete_directories (commandline -ct))'";
    case 'mounted':
      return "-f -a '(__ramproc_mounted)'";
    case 'user':
      return "-f -a '(__fish_complete_users)'";
    case 'group':
      return "-f -a '(__fish_complete_groups)'";
    case 'mount options':
      return "-f -a '(__ramproc_mount_options)'";
    case 'anything':
      return '-f';
    default:
      return `-f -a '${kind.join(' ')}'`;
  }
}

function quoted(word: string): string {
  return `'${word.replace(/[\\']/g, '\\$&')}'`;
}
