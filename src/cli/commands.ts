import type { Command } from 'commander';

/** A command: what else it is called, and where it is made. */
interface Listed {
  readonly alias?: string;
  /** Whether help doesn't tell of it. */
  readonly isHidden?: boolean;
  load(): Promise<Command>;
}

/** All commands, in the order in which help has them. Each is loaded when it is named: to mount, nothing is needed of the others. */
export const commands: Readonly<Record<string, Listed>> = {
  mount: { load: async () => (await import('./mount.ts')).mountCommand },
  remount: { load: async () => (await import('./remount.ts')).remountCommand },
  save: { load: async () => (await import('./save.ts')).saveCommand },
  unmount: { alias: 'umount', load: async () => (await import('./unmount.ts')).unmountCommand },
  list: { alias: 'ls', load: async () => (await import('./list.ts')).listCommand },
  load: { load: async () => (await import('./load.ts')).loadCommand },
  unload: { load: async () => (await import('./unload.ts')).unloadCommand },
  info: { load: async () => (await import('./info.ts')).infoCommand },
  set: { load: async () => (await import('./set.ts')).setCommand },
  shared: { load: async () => (await import('./shared.ts')).sharedCommand },
  new: { load: async () => (await import('./new.ts')).newCommand },
  stats: { load: async () => (await import('./stats.ts')).statsCommand },
  top: { load: async () => (await import('./top.ts')).topCommand },
  trace: { load: async () => (await import('./trace.ts')).traceCommand },
  doctor: { load: async () => (await import('./doctor.ts')).doctorCommand },
  'install-helper': { load: async () => (await import('./install-helper.ts')).installHelperCommand },
  completion: { load: async () => (await import('./completion.ts')).completionCommand },
  'mount-helper': {
    isHidden: true,
    load: async () => (await import('./mount-helper.ts')).mountHelperCommand,
  },
};

/** What the commands are called, each by all its names. */
export const commandNames: readonly string[] = Object.entries(commands).flatMap(([name, { alias = [] }]) =>
  [name].concat(alias),
);

/** The command of that name, if there is one. */
export function commandNamed(word: string | undefined): string | undefined {
  if (word === undefined) return undefined;
  return Object.keys(commands).find((name) => word === name || word === commands[name]?.alias);
}
