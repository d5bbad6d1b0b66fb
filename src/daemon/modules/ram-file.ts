import { totalmem } from 'node:os';
import { defineModule } from '../../proc-fs/module/module.ts';
import type { Values } from '../../proc-fs/module/parameters.ts';
import { DEFAULT_MODE, DEFAULT_NAME, ioModes } from '../../ram-file/defaults.ts';
import { RustProcRamFile } from '../../ram-file/module.ts';
import { type FilePlan, plan } from '../plan.ts';
import { DEFAULT_SHARE } from '../settings.ts';

/** Half of the memory, in whole pages, as of a tmpfs. */
const DEFAULT_SIZE = Math.ceil((totalmem() * DEFAULT_SHARE) / 100 / 4096) * 4096;

/** The highest number stands for "no change" in chown(2). */
const MOST_ID = 2 ** 32 - 2;

/** The kernel module's RAM file. "ramproc mount" is a short way to load it. */
export const ramFileModule = defineModule({
  name: 'rust_proc_ram_file',
  author: 'Rust for Linux Contributors, and those of ramproc',
  description: 'A file that works like a regular one and is backed by RAM alone',
  license: 'MIT',
  parameters: {
    name: { type: 'string', default: DEFAULT_NAME, description: "the file's name" },
    mode: { type: 'string', default: octal(DEFAULT_MODE), description: "the file's permissions" },
    uid: {
      type: 'number',
      default: process.getuid?.() ?? 0,
      description: "the file's owner",
      min: 0,
      max: MOST_ID,
    },
    gid: {
      type: 'number',
      default: process.getgid?.() ?? 0,
      description: "the file's group",
      min: 0,
      max: MOST_ID,
    },
    max_size: {
      type: 'number',
      default: DEFAULT_SIZE,
      description: 'the most memory its data may take, in bytes',
      min: 1,
      max: 2 ** 53 - 4096,
    },
    io: {
      type: 'string',
      default: 'direct',
      description: `who reads and writes the bytes: ${ioModes.join(', ')}`,
    },
  },
  init({ root, parameters: { name, mode, uid, gid, max_size, io } }) {
    const ioMode = ioModes.find((one) => one === io);
    if (ioMode === undefined) throw new Error(`"io=${io}" can't be: it must be one of ${ioModes.join(', ')}`);
    if (!/^[0-7]{1,4}$/.test(mode)) {
      throw new Error(`"mode=${mode}" can't be: it must be an octal number up to 7777, such as 0644`);
    }
    const { files } = plan({
      ...{ name, mode: Number.parseInt(mode, 8), io: ioMode, uid, gid },
      maxSize: max_size,
    });
    const [file] = files;
    return file && RustProcRamFile.init(root, file);
  },
});

/** The values of its parameters for a file as it was planned. */
export function valuesOf({ name, mode, uid, gid, maxSize, io }: FilePlan): Values {
  return { name, mode: octal(mode), uid, gid, max_size: maxSize, io };
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
