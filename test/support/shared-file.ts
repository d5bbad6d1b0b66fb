import { NOBODY } from '../../src/proc-fs/caller.ts';
import { ProcDirEntry } from '../../src/proc-fs/entries/entry.ts';
import type { Attr, ProcFile } from '../../src/proc-fs/handler.ts';
import type { ProcOps } from '../../src/proc-fs/proc-ops.ts';
import { UserSliceReader, UserSliceWriter } from '../../src/proc-fs/user-slice.ts';
import { SharedRamFile, type SharedRamFileOptions } from '../../src/shared-file/module.ts';
import { Errno } from '../../src/sys/errno.ts';
import { answer } from './answer.ts';

/** A shared file as one machine has it, without a mount. Calls answer a number, or an error's name. Disposing it leaves the engine. */
export class Machine implements AsyncDisposable {
  readonly said: string[];
  readonly shared: SharedRamFile;
  readonly file: ProcFile = { flags: 0, uid: 0, pos: 0, privateData: undefined };
  readonly #ops: ProcOps;

  static async start(options: SharedRamFileOptions): Promise<Machine> {
    const said: string[] = [];
    const say = (sentence: string) => void said.push(sentence);
    return new Machine(await SharedRamFile.init(ProcDirEntry.root(), { say, ...options }), said);
  }

  private constructor(shared: SharedRamFile, said: string[]) {
    this.shared = shared;
    this.said = said;
    const { ops } = shared.entry;
    if (ops === undefined) throw new Error('A file has ProcOps.');
    this.#ops = ops;
  }

  async read(offset: number, length: number): Promise<Buffer | string> {
    const bytes = Buffer.alloc(length, 0xee);
    const count = await this.#ops.procRead(
      this.file,
      new UserSliceWriter().place(bytes, 0, length),
      offset,
      NOBODY,
    );
    return count < 0 ? errnoName(-count) : bytes.subarray(0, count);
  }

  async write(offset: number, data: string | Uint8Array, flags = 0): Promise<number | string> {
    const bytes = Buffer.from(data as Uint8Array);
    const from = new UserSliceReader().place(bytes, 0, bytes.length);
    return named(await this.#ops.procWrite({ ...this.file, flags }, from, offset, NOBODY));
  }

  append(data: string): Promise<number | string> {
    return this.write(0, data, 0o2000);
  }

  async truncate(size: number): Promise<number | string> {
    return named(await this.#ops.procTruncate(size, NOBODY));
  }

  async fallocate(mode: number, offset: number, length: number): Promise<number | string> {
    return named(await this.#ops.procFallocate(this.file, mode, offset, length, NOBODY));
  }

  async copy(from: number, to: number, length: number): Promise<number | string> {
    return named(await this.#ops.procCopyFileRange(from, to, length, NOBODY));
  }

  async seek(offset: number, whence: number): Promise<number | string> {
    return named(await this.#ops.procLseek(this.file, offset, whence, NOBODY));
  }

  async stat(): Promise<Attr | string> {
    const attr = await this.#ops.procGetattr(NOBODY);
    return typeof attr === 'number' ? errnoName(-attr) : attr;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shared[Symbol.asyncDispose]();
  }
}

function named(raw: number): number | string {
  return raw < 0 ? errnoName(-raw) : raw;
}

function errnoName(errno: number): string {
  return answer<string>(() => {
    throw new Errno(errno);
  });
}
