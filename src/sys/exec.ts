import { libcFunction } from './libc.ts';

const execveCall = libcFunction<
  [path: string, parameters: (string | null)[], environment: (string | null)[]]
>('execve', 'int', ['str', 'str *', 'str *']);

const exit = libcFunction<[status: number]>('_exit', 'void', ['int']);

/**
 * Makes this process another program's. Everything of the present one ends, its other threads too; descriptors that are
 * close-on-exec are closed, which Node makes all that it finds (uv_disable_stdio_inheritance). Source: execve(2).
 */
export function execve(
  path: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
): never {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  execveCall(path, [...parameters, null], [...variables, null]);
  throw new Error('execve returned');
}

/** Ends this process at once: no thread is waited for, and nothing of JavaScript runs any more. Source: _exit(2). */
export function exitAtOnce(status: number): never {
  exit(status);
  throw new Error('_exit returned');
}
