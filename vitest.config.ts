import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: 'test/support/setup.ts',
    // Two cores, and tests that measure what a mount does under load: one file after the other.
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // The built package, which some tests import by its name, runs as it is: its workers load its own files.
    server: { deps: { external: [/\/dist\//] } },
  },
});
