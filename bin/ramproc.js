#!/usr/bin/env sh
// 2>/dev/null; exec node --inspect-port=192.0.2.1:9229 "$0" "$@"
// A shell runs the line above, in which SIGUSR1 opens no debugger from the first moment on: see src/daemon/start.ts.

// For who starts this by "node bin/ramproc.js".
process.on('SIGUSR1', () => {});

const [, , word, ...rest] = process.argv;
if (['--version', '-V'].includes(word) && rest.length === 0) {
  // As commander would say it, without all else.
  console.log(require('../package.json').version);
} else start();

async function start() {
  try {
    await require('../dist/cli/main.cjs').main(process.argv);
  } catch (error) {
    // Not even our own words could be loaded.
    const [what] = error.message.split('\n');
    const why =
      error.code === 'EMFILE'
        ? 'EMFILE, too many open files; raise "ulimit -n"'
        : `${what}; install it again`;
    console.error(`ramproc: Cannot start: ${why}.`);
    process.exitCode = 2;
  }
}
