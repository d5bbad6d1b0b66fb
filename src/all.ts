/** All that runs in a program's main thread, or a daemon's, for scripts/bundle.ts to make one file of. */

export { serveOrder } from './cli/serve-order.ts';
export * from './index.ts';
export * from './redis.ts';
export * from './testing.ts';
