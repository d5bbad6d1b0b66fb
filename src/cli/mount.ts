import { Command, Option } from 'commander';
import prettyBytes from 'pretty-bytes';
import type { Mounted, Starter } from '../daemon/serve.ts';
import { type Settings, transports } from '../daemon/settings.ts';
import { parent, startInBackground } from '../daemon/start.ts';
import { DEFAULT_MODE, DEFAULT_NAME, ioModes } from '../ram-file/module.ts';
import { closeAllOnExec } from '../sys/descriptor.ts';
import { oneLine } from '../text/one-line.ts';
import { shellWord } from '../text/shell-word.ts';
import {
  parseId,
  parseIo,
  parseMode,
  parseMountOptions,
  parseName,
  parseSize,
  parseThreads,
  parseTransport,
} from './parse.ts';
import { progressBar } from './progress.ts';

type Serve = typeof import('../daemon/serve.ts').serve;

interface Flags extends Omit<Settings, 'autoUnmount' | 'nonempty' | 'words'> {
  options?: Settings;
  foreground?: true;
  json?: true;
}

export const mountCommand = new Command('mount')
  .summary('mount a directory with a file in it that is backed by RAM alone')
  .description(
    'Mounts a directory like /proc with one file in it, which works like a regular file and is backed by RAM alone.',
  )
  .argument('<dir>', 'the directory to mount on; it must exist and be empty')
  .option('-n, --name <name>', `the file's name (default: ${DEFAULT_NAME})`, parseName)
  .option('-m, --mode <mode>', `the file's permissions (default: 0${DEFAULT_MODE.toString(8)})`, parseMode)
  .option('--uid <number>', "the file's owner (default: you)", parseId)
  .option('--gid <number>', "the file's group (default: yours)", parseId)
  .option(
    '-s, --max-size <size>',
    'the most memory its data may take, such as 512M, 2G or 25% (default: 50%)',
    parseSize,
  )
  .option('-f, --foreground', 'stay, log to standard error, and unmount on SIGINT, SIGTERM or SIGHUP')
  .option('--from <file>', 'fill the file first, from a file or from standard input (-)')
  .option(
    '--threads <number>',
    'how many threads serve requests (default: 3; 2 with --secret or --io passthrough)',
    parseThreads,
  )
  .option('--allow-other', 'let other users in, as far as the mode lets them')
  .option('--secret', 'no swap, no core dump, overwritten in the end; the mode is 0600 and nothing wider')
  .addOption(
    new Option(
      '--transport <name>',
      `what serves the mount: ${transports.join(' or ')} (default: kernel)`,
    ).argParser(parseTransport),
  )
  .option('--io <mode>', `who reads and writes the bytes: ${ioModes.join(', ')} (default: direct)`, parseIo)
  .option('--log <file>', 'append the messages of a mount in the background to a file (default: none)')
  .option('--record <file>', 'for debugging: write every request of the kernel and every reply to a file')
  .option(
    '-o, --options <list>',
    'options of mount(8), the ones above, and auto_unmount (also when the daemon is killed): ro,noexec,max_size=1G,…',
    parseMountOptions,
  )
  .option('--json', 'print the result as one JSON object')
  .action(run);

async function run(dir: string, { options, foreground, json, ...flags }: Flags): Promise<void> {
  closeAllOnExec();
  const settings: Settings = { ...options, ...flags };
  const toParent = foreground ? parent() : undefined;
  // Who starts a daemon doesn't serve, and would load half of all modules for nothing: 25 ms of 380 until the file is there.
  const serve = async (...call: Parameters<Serve>) => (await import('../daemon/serve.ts')).serve(...call);
  if (toParent !== undefined) {
    try {
      await serve(dir, settings, {
        progress: (bytes, total) => toParent({ kind: 'progress', bytes, total }),
        notice: (message) => toParent({ kind: 'notice', message }),
        mounted: (mounted) => toParent({ kind: 'mounted', mounted }),
      });
    } catch (error) {
      if (!process.connected) throw error;
      toParent({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
    return;
  }
  using bar = progressBar();
  const starter: Starter = {
    progress: bar.show,
    notice: (message) => console.error(`ramproc: ${message}`),
    mounted(mounted) {
      bar[Symbol.dispose]();
      console.log(json ? oneLine(JSON.stringify(mounted)) : sentence(mounted));
    },
  };
  if (foreground) await serve(dir, settings, starter);
  else starter.mounted(await startInBackground(settings, starter));
}

function sentence({ file, pid, maxSize, dir }: Mounted): string {
  const size = prettyBytes(maxSize, { binary: true });
  return `${shellWord(file)} is there, for up to ${size}, served by process ${pid}; unmount it with "fusermount -u ${shellWord(dir)}".`;
}
