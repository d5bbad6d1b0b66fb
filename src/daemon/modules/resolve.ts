import { createRequire, type ResolveFnOutput, type ResolveHookContext } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Stands between a package's name and where to look for it. */
export const FROM = '?ramproc-from=';

type Next<Answer> = (specifier: string, context: ResolveHookContext) => Answer;

/**
 * Node's hook for what modules import, in whatever thread. A module's `ramproc` is the one that loads it, wherever it lies and whether
 * it has one or not, as a kernel module's symbols are the kernel's. And a package is looked for from where the user is who named it.
 */
export function resolve<Answer extends ResolveFnOutput | Promise<ResolveFnOutput>>(
  specifier: string,
  context: ResolveHookContext,
  next: Next<Answer>,
): Answer | ResolveFnOutput {
  if (/^ramproc(\/|$)/.test(specifier) && context.parentURL !== import.meta.url) {
    if (!context.conditions.includes('require'))
      return next(specifier, { ...context, parentURL: import.meta.url });
    // Node's own looks there from the module all the same.
    return { url: pathToFileURL(createRequire(import.meta.url).resolve(specifier)).href, shortCircuit: true };
  }
  const [name = specifier, from] = specifier.split(FROM);
  return next(name, from === undefined ? context : { ...context, parentURL: from });
}
