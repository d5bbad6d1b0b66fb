#!/usr/bin/env node

try {
  const { main } = await import('../dist/cli/main.js');
  await main(process.argv);
} catch (error) {
  // Not even our own words could be loaded.
  const [what] = error.message.split('\n');
  const why =
    error.code === 'EMFILE' ? 'EMFILE, too many open files; raise "ulimit -n"' : `${what}; install it again`;
  console.error(`ramproc: Cannot start: ${why}.`);
  process.exitCode = 2;
}
