import type { ResolveFnOutput, ResolveHookContext } from 'node:module';
import { ownEntry } from '../../sys/own-module.ts';

/** Stands between a package's name and where to look for it. */
export const FROM = '?ramproc-from=';

type Next<Answer> = (specifier: string, context: ResolveHookContext) => Answer;

/**
 * Node's hook for what modules import, in whatever thread. A module's `ramproc` is the one that loads it, wherever it lies and whether
 * it has one or not, as a kernel module's symbols are the kernel's; for CommonJS too. And a package is looked for from where the user is
 * who named it.
 */
export function resolve<Answer extends ResolveFnOutput | Promise<ResolveFnOutput>>(
  specifier: string,
  context: ResolveHookContext,
  next: Next<Answer>,
): Answer | ResolveFnOutput {
  const [, own] = specifier.match(/^ramproc(?:\/(testing|redis))?$/) ?? ['', null];
  if (own !== null) return { url: ownEntry(own ?? 'index'), format: 'module', shortCircuit: true };
  const [name = specifier, from] = specifier.split(FROM);
  return next(name, from === undefined ? context : { ...context, parentURL: from });
}
