import { output } from '../command.ts';
import type { Mount } from '../contenders/contender.ts';
import { tmpfsFile } from '../contenders/tmpfs.ts';
import { fill } from '../fill.ts';
import { memoryOf, pageCacheBytes } from '../server-process.ts';
import { sizeName } from '../sizes.ts';
import type { Metric, Workload } from './workload.ts';

/** dd writes the whole file and reads it again, and between the two its memory is counted. */
export function wholeFile(bytes: number): Workload {
  const size = sizeName(bytes);
  const write: Metric = { id: 'dd write', topic: 'files', label: `dd to ${size} (MB/s)` };
  const read: Metric = { id: 'dd read', topic: 'files', label: `dd from ${size} (MB/s)` };
  const memory: Metric = { id: 'full memory', topic: 'start', label: `memory with ${size} (MB)` };
  const cache: Metric = { id: 'page cache', topic: 'start', label: 'page cache beside it (MB)' };
  return {
    label: `dd of ${size}`,
    metrics: [write, read, memory, cache],
    fileSize: 0,
    async run(mount) {
      await backMemory(bytes);
      const cached = pageCacheBytes();
      const written = await timed(() => fill(mount.file, bytes));
      const figures = { [write.id]: bytes / 1e6 / written, ...memoryFigures(mount, cached) };
      const seconds = await timed(() => output('dd', `if=${mount.file}`, 'of=/dev/null', 'bs=1M'));
      await fill(mount.file, 0);
      return { ...figures, [read.id]: bytes / 1e6 / seconds };
    },
  };

  function memoryFigures({ pid }: Mount, cached: number): Record<string, number> {
    if (pid === undefined) return {};
    return { [memory.id]: memoryOf(pid) / 1e6, [cache.id]: Math.max(0, pageCacheBytes() - cached) / 1e6 };
  }
}

/**
 * Has a virtual machine's host provide as much memory, so that everybody writes to what was in use a moment ago: the first
 * touch of a page that the host must find takes 10 µs, which is most of what dd then takes. So the memory is given back in
 * the end, too.
 */
async function backMemory(bytes: number): Promise<void> {
  const { file, unmount } = await tmpfsFile();
  try {
    await fill(file, bytes);
  } finally {
    await unmount();
  }
}

/** How long it takes, in seconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
