/**
 * Waits for the end of its standard input, and takes the mount of that device away, if it is still there. $1 is the device, as in
 * mountinfo(5), and the directory is where that says that it is.
 */
const SCRIPT = `cat >/dev/null
while read -r _ _ device _ dir _; do
  if [ "$device" = "$1" ]; then
    dir=$(printf %b "$dir")
    umount -l -- "$dir" 2>/dev/null || fusermount3 -uz -- "$dir"
  fi
done </proc/self/mountinfo`;

/**
 * Has a mount taken away when this thread is gone, however it ends: nothing of a worker runs any more when it is terminated, nor of
 * a process that was killed, but what it had open is closed. Disposing it ends the guard.
 *
 * `device` is the mount's `major:minor`.
 */
export function guard(device: string): Disposable {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn('sh', ['-c', SCRIPT, 'sh', device], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', () => {});
  child.unref();
  (child.stdin as { unref?(): void }).unref?.();
  return { [Symbol.dispose]: () => void child.kill() };
}
