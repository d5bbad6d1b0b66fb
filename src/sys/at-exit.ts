const ends = new Set<() => void>();

/**
 * Calls `end` when this thread ends by itself: process.exit(), an exception, an event loop with nothing left to wait for. Disposing
 * the answer ends that. One listener for all mounts: Node warns of more than ten.
 */
export function atExit(end: () => void): Disposable {
  if (ends.size === 0) process.on('exit', endAll);
  ends.add(end);
  return {
    [Symbol.dispose]() {
      if (ends.delete(end) && ends.size === 0) process.off('exit', endAll);
    },
  };
}

function endAll(): void {
  for (const end of ends) end();
}
