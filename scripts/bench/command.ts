import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** Long enough for the slowest contender to append a GiB; a server that hangs must not hang the bench. */
const TIMEOUT = 3_600_000;

/** Ends what is running when the bench is told to end, so that everything is unmounted. */
export const interrupted = new AbortController();

/** A command's standard output. Throws its last words in one sentence. */
export async function output(command: string, ...parameters: string[]): Promise<string> {
  try {
    const { stdout } = await exec(command, parameters, {
      env: { ...process.env, LC_ALL: 'C' },
      maxBuffer: 1 << 26,
      timeout: TIMEOUT,
      killSignal: 'SIGKILL',
      signal: interrupted.signal,
    });
    return stdout;
  } catch (error) {
    if (interrupted.signal.aborted) throw new Error('Interrupted.', { cause: error });
    throw new Error(lastWords(error), { cause: error });
  }
}

/** What a command said when it failed: the last line that it wrote to standard error. It begins with its name, usually. */
function lastWords(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const [line = String(error)] = stderr
    .split('\n')
    .filter((text) => text.trim() !== '')
    .slice(-1);
  return line.trim();
}
