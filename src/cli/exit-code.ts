/** What the command returns to its shell: the numbers of mount(8), under its heading "EXIT STATUS". */
export const ExitCode = {
  Ok: 0,
  /** Wrong usage. */
  Usage: 1,
  /** A system error: something that should work didn't. */
  System: 2,
  /** The mount or unmount failed. */
  Failure: 32,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The same for people. */
export const exitStatus: readonly (readonly [string, string])[] = [
  [`${ExitCode.Ok}`, 'success'],
  [`${ExitCode.Usage}`, 'wrong usage'],
  [`${ExitCode.System}`, 'a system error'],
  [`${ExitCode.Failure}`, 'it could not be mounted or unmounted'],
];
