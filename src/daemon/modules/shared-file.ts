import { defineModule } from '../../proc-fs/module/module.ts';
import type { Values } from '../../proc-fs/module/parameters.ts';
import { DEFAULT_NAME } from '../../ram-file/defaults.ts';
import { addressText } from '../../shared-file/address.ts';
import { DEFAULT_TIMEOUT } from '../../shared-file/defaults.ts';
import type { SharedRamFile, SharedRamFileOptions } from '../../shared-file/module.ts';
import { takePassword } from '../shared-password.ts';
import type { SharedPlan } from '../shared-plan.ts';

/** A file in an engine, as something that a daemon has loaded: its end is told to the engine in the background. */
export class SharedFile implements Disposable {
  readonly shared: SharedRamFile;

  constructor(shared: SharedRamFile) {
    this.shared = shared;
  }

  /** All of it is loaded when it is asked for, as seldom as that is: TLS, and the hashes of scripts. */
  static async init(...parameters: Parameters<typeof SharedRamFile.init>): Promise<SharedFile> {
    const shared = await import('../../shared-file/module.ts');
    return new SharedFile(await shared.SharedRamFile.init(...parameters));
  }

  [Symbol.dispose](): void {
    void this.shared[Symbol.asyncDispose]();
  }
}

/** The RAM file in an engine. "ramproc mount --on" is a short way to load it. */
export const sharedFileModule = defineModule({
  name: 'shared_ram_file',
  author: 'those of ramproc',
  description: 'One file in the RAM of many machines, which an engine holds',
  license: 'MIT',
  parameters: {
    on: { type: 'string', default: 'redis://localhost:6379', description: "the engine's URL" },
    key: { type: 'string', default: 'ramproc', description: "the file's name in the engine" },
    name: { type: 'string', default: DEFAULT_NAME, description: "the file's name" },
    io: { type: 'string', default: 'direct', description: 'direct or cached' },
    timeout: {
      type: 'number',
      default: DEFAULT_TIMEOUT,
      description: 'how long a call may take, in milliseconds',
    },
    replicas: { type: 'number', default: 0, description: 'how many replicas must have a change' },
  },
  init: ({ root, parameters: { on, key, name, io, timeout, replicas } }) =>
    SharedFile.init(root, { on, key, name, io: io === 'cached' ? 'cached' : 'direct', timeout, replicas }),
});

/** The values of its parameters for a file as it was planned. */
export function sharedValuesOf({ on, key, name, io, timeout, replicas }: SharedPlan): Values {
  return { on: addressText(on), key, name, io, timeout, replicas };
}

/** What makes a file as it was planned. */
export function sharedOptionsOf(plan: SharedPlan, dir: string): SharedRamFileOptions {
  return { ...plan, dir, password: takePassword() };
}
