import { defineConfig } from 'vitest/config';
import { HANGS_AFTER, TEST_HANGS_AFTER } from './test/support/hanging.ts';

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

/** Those that mount, as root. They have the machine for themselves: one file after the other. */
function mounting(name: string) {
  const { test } = light(name);
  return {
    test: {
      ...test,
      globalSetup: 'test/support/mounting-global-setup.ts',
      setupFiles: [test.setupFiles, 'test/support/mounting-setup.ts'],
      fileParallelism: false,
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
    maxWorkers: 2,
  },
});
