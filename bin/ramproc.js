#!/usr/bin/env sh
// 2>/dev/null; exec node --inspect-port=192.0.2.1:9229 "$0" "$@"
// A shell runs the line above, in which SIGUSR1 opens no debugger from the first moment on: see src/daemon/start.ts.

// For who starts this by "node bin/ramproc.js".
process.on('SIGUSR1', () => {});

start();

async function start() {
  try {
    const text = atOnce();
    if (text === undefined) await require('../dist/cli/main.cjs').main(process.argv);
    else process.stdout.write(text);
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

/** What commander would answer too, where nothing has to be loaded for it. */
function atOnce() {
  const [word, shell, ...rest] = process.argv.slice(2);
  if (rest.length > 0) return undefined;
  if (['--version', '-V'].includes(word) && shell === undefined)
    return `${require('../package.json').version}\n`;
  if (word !== 'completion' || !['bash', 'zsh', 'fish'].includes(shell)) return undefined;
  return require('node:fs').readFileSync(
    require('node:path').join(__dirname, '../dist/completion', shell),
    'utf8',
  );
}
