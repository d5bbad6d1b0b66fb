import type { Order } from './daemon/order.ts';

/** Where a daemon process starts: see src/daemon/start.ts. It is no command, and whoever starts it otherwise is told so. */
const [, , parameter] = process.argv;
if (parameter === undefined)
  throw new Error('"ramproc mount" starts this; there is nothing to do without it.');
void start(JSON.parse(parameter));

async function start(order: Order): Promise<void> {
  const { transport, threads, files } = order.plan;
  try {
    // A RAM file's mount can do without at first, or is a secret's, whose worker is to begin once memory is locked.
    if (transport === 'kernel' && threads > 0 && files.length === 0) {
      const { beginWorker } = await import('./transport/kernel/main-thread/begun.ts');
      beginWorker();
    }
    const { serveOrder } = await import('./cli/serve-order.ts');
    await serveOrder(order);
  } catch (error) {
    // Not even our own words could be loaded: as in bin/ramproc.js.
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'EMFILE'
        ? 'EMFILE, too many open files; raise "ulimit -n"'
        : `${message.split('\n').at(0)?.replace(/\W$/, '')}; install it again, with "npm install --include=optional ramproc"`;
    console.error(`ramproc: Cannot start: ${why}.`);
    process.exitCode = 2;
  }
}
