import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The lines that a C program prints, whose main has these statements, with linux/fuse.h, errno.h and `more` included. */
export function runC(statements: readonly string[], more: readonly string[] = []): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'ramproc-c-'));
  try {
    const headers = ['linux/fuse.h', 'errno.h', 'stddef.h', 'stdio.h', ...more].map(
      (header) => `#include <${header}>`,
    );
    const source = [...headers, 'int main(void) {', ...statements, 'return 0;', '}', ''];
    writeFileSync(join(dir, 'main.c'), source.join('\n'));
    execFileSync('gcc', ['-std=c11', '-o', join(dir, 'main'), join(dir, 'main.c')]);
    return execFileSync(join(dir, 'main'), { encoding: 'utf8' }).trim().split('\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
}
