/**
 * `node --require` of this moves a worker of vitest's to a mount namespace of its own, and so all that it starts: what one file's
 * tests mount no other file sees or keeps alive, and each may change the mode of its /dev/fuse. It must come first: a thread that
 * there is already stays behind.
 */
const { execFileSync } = require('node:child_process');
const { join } = require('node:path');
const { isMainThread } = require('node:worker_threads');

const CLONE_NEWNS = 0x20000;

// What a worker forks or has for threads, with its own flags, is there already.
if (isMainThread && /vitest\/dist\/workers/.test(process.argv[1])) {
  const unshare = require('koffi').load(null).func('int unshare(int)');
  if (unshare(CLONE_NEWNS) !== 0) throw new Error('A mount namespace of its own was refused.');
  execFileSync('sh', [join(__dirname, 'own-namespace.sh')]);
}
