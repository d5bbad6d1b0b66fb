import { getSystemErrorMap } from 'node:util';
import { message } from './message.ts';

/**
 * The last part of a sentence: why a system call failed, as `CODE, meaning`, and where it helps, what to do. Anything else
 * that was thrown says what it says.
 */
export function reason(error: unknown): string {
  if (!(error instanceof Error && 'errno' in error && typeof error.errno === 'number')) return message(error);
  const [code, meaning] = getSystemErrorMap().get(-Math.abs(error.errno)) ?? [];
  if (code === undefined) return message(error);
  return code === 'EPERM' ? `${code}, ${meaning}; root needs CAP_SYS_ADMIN for it.` : `${code}, ${meaning}`;
}
