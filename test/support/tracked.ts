import { type Calls, calls as plain } from './calls/index.ts';

/** Calls that note what they open and map, so that all of it can be let go of at once: it keeps a mount busy. */
export interface Tracked {
  readonly calls: Calls;
  /** Closes and unmaps what the caller has not. */
  release(): void;
}

export function tracked(calls: Calls = plain): Tracked {
  const descriptors = new Set<number>();
  const mappings = new Map<number, number>();
  return {
    calls: {
      ...calls,
      open(...args) {
        const fd = calls.open(...args);
        if (typeof fd === 'number') descriptors.add(fd);
        return fd;
      },
      close(fd) {
        descriptors.delete(fd);
        return calls.close(fd);
      },
      mmap(...args) {
        const [, , length] = args;
        const address = calls.mmap(...args);
        if (typeof address === 'number') mappings.set(address, length);
        return address;
      },
      munmap(address, length) {
        mappings.delete(address);
        return calls.munmap(address, length);
      },
    },
    release() {
      for (const fd of descriptors) calls.close(fd);
      for (const [address, length] of mappings) calls.munmap(address, length);
      descriptors.clear();
      mappings.clear();
    },
  };
}
