#!/usr/bin/env sh
// 2>/dev/null; exec node --inspect-port=192.0.2.1:9229 "$0" "$@"
// A shell runs the line above, in which SIGUSR1 opens no debugger from the first moment on: see src/daemon/start.ts.

// For who starts this by "node bin/ramproc.js".
process.on('SIGUSR1', () => {});

start();

async function start() {
  try {
    const text = atOnce();
    if (text === undefined) await require('../dist/run/main.cjs').main(process.argv);
    else process.stdout.write(text);
  } catch (error) {
    // Not even our own words could be loaded.
    const [what] = error.message.split('\n');
    const why =
      error.code === 'EMFILE'
        ? 'EMFILE, too many open files; raise "ulimit -n"'
        : `${what.replace(/\W$/, '')}; install it again, with "npm install --include=optional ramproc"`;
    console.error(`ramproc: Cannot start: ${why}.`);
    process.exitCode = 2;
  }
}

/** What commander would answer too, where nothing has to be loaded for it. */
function atOnce() {
  const [word, more, ...rest] = process.argv.slice(2);
  if (rest.length > 0) return undefined;
  if (['--version', '-V'].includes(word) && more === undefined)
    return `${require('../package.json').version}\n`;
  if (word === 'completion') return made('completion', more);
  if (['--help', '-h'].includes(word) && more === undefined) return help('ramproc');
  return ['--help', '-h'].includes(more) ? help(word) : undefined;
}

/** As wide as commander makes it where nobody says how wide a terminal is. */
function help(command) {
  return process.stdout.isTTY ? undefined : made('help', `${command}.txt`);
}

/** A text that was made when the package was built, if there is such a one. */
function made(what, name) {
  const { readdirSync, readFileSync } = require('node:fs');
  const dir = require('node:path').join(__dirname, '../dist', what);
  return readdirSync(dir).includes(name) ? readFileSync(`${dir}/${name}`, 'utf8') : undefined;
}
