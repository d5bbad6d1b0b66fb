import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { HANGS_AFTER, TEST_HANGS_AFTER } from './test/support/hanging.ts';

const support = join(import.meta.dirname, 'test/support');

/** What each project has. */
const common = {
  testTimeout: TEST_HANGS_AFTER,
  hookTimeout: TEST_HANGS_AFTER,
  // Of tests that wait for what doesn't answer.
  maxConcurrency: 10,
  expect: { poll: { timeout: HANGS_AFTER } },
  // The built package, which some tests import by its name, runs as it is: its workers load its own files.
  server: { deps: { external: [/\/dist\//] } },
};

/** The tests in one of test's directories, which need nothing but Node and a C compiler. */
function light(name: string) {
  const setupFiles = 'test/support/setup.ts';
  return { test: { ...common, name, include: [`test/${name}/**/*.test.ts`], setupFiles } };
}

/** How files that mount are kept from each other: each has a mount namespace, or where that is refused they come one after the other. */
function apart() {
  const { status } = spawnSync('unshare', ['--mount', 'sh', join(support, 'own-namespace.sh')]);
  if (status === 0) return { execArgv: ['--require', join(support, 'own-namespace.cjs')] };
  if (process.geteuid?.() === 0)
    console.warn('No mount namespaces can be had here: files of tests that mount run one after the other.');
  return { fileParallelism: false };
}

const alone = apart();

/** Those that mount, as root. */
function mounting(name: string) {
  const { test } = light(name);
  return {
    test: {
      ...test,
      ...alone,
      globalSetup: 'test/support/mounting-global-setup.ts',
      setupFiles: [test.setupFiles, 'test/support/mounting-setup.ts'],
    },
  };
}

export default defineConfig({
  test: {
    globalSetup: 'test/support/global-setup.ts',
    projects: [
      ...['unit', 'bytes'].map(light),
      ...['interop', 'conformance', 'faults', 'random', 'soak', 'package'].map(mounting),
    ],
    // One more than there are processors to run them, for those that wait.
    maxWorkers: 3,
  },
});
