/** Where a daemon process starts: see src/daemon/start.ts. It is no command, and whoever starts it otherwise is told so. */
const [, , parameter] = process.argv;
if (parameter === undefined)
  throw new Error('"ramproc mount" starts this; there is nothing to do without it.');
try {
  const { serveOrder } = await import('./all.ts');
  await serveOrder(JSON.parse(parameter));
} catch (error) {
  // Not even our own words could be loaded: as in bin/ramproc.js.
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === 'EMFILE'
      ? 'EMFILE, too many open files; raise "ulimit -n"'
      : `${message.split('\n').at(0)}; install it again`;
  console.error(`ramproc: Cannot start: ${why}.`);
  process.exitCode = 2;
}

export {};
