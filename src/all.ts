/** All that who uses the package may import, for scripts/bundle.ts to make one file of. */

export * from './index.ts';
export * from './redis.ts';
export * from './testing.ts';
