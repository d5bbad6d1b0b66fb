import { NOBODY } from '../support/nobody.ts';

/** A way to mount: by whom, where and over what. */
export interface Way {
  readonly user: 'root' | 'nobody';
  readonly foreground: boolean;
  readonly options: readonly string[];
}

export const simplest: Way = { user: 'root', foreground: false, options: [] };

export const ways: readonly Way[] = (['root', 'nobody'] as const).flatMap((user) =>
  [false, true].flatMap((foreground) =>
    [
      [],
      ['--transport', 'libfuse'],
      ['--secret', '--max-size', '64k'],
      ...(user === 'root' ? [['--io', 'passthrough']] : []),
    ].map((options) => ({ user, foreground, options })),
  ),
);

/** How to become a user, in front of a program. No core is left of what a signal ends. */
export function as({ user }: Way): { program: string; before: readonly string[] } {
  const nobody = ['setpriv', '--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
  return { program: 'prlimit', before: ['--core=0', ...(user === 'nobody' ? nobody : [])] };
}
