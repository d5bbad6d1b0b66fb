import { calls } from './calls/index.ts';
import { loads } from './loads.ts';

const clientCalls = {
  ...calls,
  ...loads,
  /** Acts as another user from now on, for good. */
  become(uid: number, gid: number): void {
    process.setgroups?.([]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  },
};

export type ClientCalls = typeof clientCalls;

export interface ClientRequest {
  readonly id: number;
  readonly name: keyof ClientCalls;
  readonly args: readonly unknown[];
}

export interface ClientReply {
  readonly id: number;
  readonly answer?: unknown;
  readonly exception?: string;
}

process.on('message', ({ id, name, args }: ClientRequest) => {
  const call = clientCalls[name] as (...args: readonly unknown[]) => unknown;
  const reply = (message: ClientReply) => process.send?.(message);
  try {
    reply({ id, answer: call(...args) });
  } catch (error) {
    reply({ id, exception: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
process.on('disconnect', () => process.exit());
