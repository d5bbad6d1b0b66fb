import { type ClientCalls, clientCalls } from './client-calls.ts';

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
