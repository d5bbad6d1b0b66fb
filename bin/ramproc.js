#!/usr/bin/env node

try {
  const { main } = await import('../dist/cli/main.js');
  await main(process.argv);
} catch (error) {
  // Not even our own words could be loaded.
  const help = error.code === 'EMFILE' ? 'raise "ulimit -n"' : 'install the package again';
  console.error(`ramproc: Cannot start: ${error.message.split('\n')[0]}; ${help}.`);
  process.exitCode = 2;
}
