import { totalmem } from 'node:os';
import { defineModule } from '../../proc-fs/module/module.ts';
import type { Value, Values } from '../../proc-fs/module/parameters.ts';
import { DEFAULT_MODE, DEFAULT_NAME, ioModes } from '../../ram-file/defaults.ts';
import { type FileChange, RustProcRamFile } from '../../ram-file/module.ts';
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
    mode: {
      type: 'string',
      default: octal(DEFAULT_MODE),
      description: "the file's permissions",
      writable: true,
    },
    uid: {
      type: 'number',
      default: process.getuid?.() ?? 0,
      description: "the file's owner",
      writable: true,
      min: 0,
      max: MOST_ID,
    },
    gid: {
      type: 'number',
      default: process.getgid?.() ?? 0,
      description: "the file's group",
      writable: true,
      min: 0,
      max: MOST_ID,
    },
    max_size: {
      type: 'number',
      default: DEFAULT_SIZE,
      description: 'the most memory its data may take, in bytes',
      writable: true,
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
    const { files } = plan({
      ...{ name, mode: modeOf(mode), io: ioMode, uid, gid },
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

/** Those of them that may have changed since, of a file that is there. */
export function presentValues({ file }: RustProcRamFile): Values {
  const { mode, uid, gid } = file.getattr();
  return { mode: octal(mode), uid, gid, max_size: file.maxSize };
}

/** What a parameter's new value changes of a file. Throws an Error with the last part of a sentence. */
export function changeOf(parameter: string, value: Value): FileChange {
  switch (parameter) {
    case 'max_size':
      return { maxSize: Number(value) };
    case 'mode':
      return { mode: modeOf(String(value)) };
    default:
      return { [parameter]: value };
  }
}

function modeOf(text: string): number {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  throw new Error(`"mode=${text}" can't be: it must be an octal number up to 7777, such as 0644`);
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
