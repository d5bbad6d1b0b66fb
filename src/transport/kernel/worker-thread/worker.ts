import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { runOn } from '../../../sys/affinity.ts';
import { printAtOnce } from '../../../sys/console.ts';
import { threadNumber } from '../../../sys/thread.ts';
import { Counters } from '../../counters.ts';
import { Called, Calling } from '../channel/calls.ts';
import { DeviceChannel } from '../channel/device.ts';
import { Patience } from '../channel/patience.ts';
import { recorded } from '../channel/recording.ts';
import { Watching } from '../channel/turn.ts';
import type { RingData } from '../channel/uring.ts';
import { Call } from '../wire/call.ts';
import type { Channel } from '../wire/channel.ts';
import { MAX_WRITE } from '../wire/init.ts';
import type { BegunData, News, WorkerData, WorkerMessage } from '../worker-contract.ts';
import { Serving } from './serving.ts';

if (parentPort === null)
  throw new Error('worker.ts is the start of a worker thread, not a module to import.');
const port = parentPort;
const send = (message: WorkerMessage) => port.postMessage(message);
void begin(workerData);

/** Waits for the mount where there isn't one yet. */
async function begin(data: WorkerData | BegunData): Promise<void> {
  if (!('mounted' in data)) return serve(data);
  Atomics.wait(data.mounted, 0, 0);
  const come: { message: WorkerData } | undefined = receiveMessageOnPort(port);
  if (come !== undefined) await serve(come.message);
}

async function serve(data: WorkerData): Promise<void> {
  const { ring, recording, thread, owner, nodes, orders, serving, news, hook } = data;
  printAtOnce(data.messages);
  const counters = new Counters(data.counters, threadNumber());
  const worker = new Serving({ serving, news, orders, owner, hook, counters, takeNews, pass: send });
  let memory: Uint8Array | undefined;
  for (const node of nodes) {
    const { ops } = await worker.add(node);
    memory ??= ops.placement.scratch?.(thread);
  }
  const [device, call] = ring === undefined ? byDevice(data, memory) : await byRing(data, ring);
  send('ready');
  await worker.run(recorded(device, recording), call);
  send('ended');
}

/** `memory`: where a call lies best. */
function byDevice(
  { fd, stop, thread, look, sleep, calls, turn }: WorkerData,
  memory?: Uint8Array,
): [Channel, Call] {
  const room =
    memory === undefined || memory.length < Call.space(MAX_WRITE)
      ? new Uint8Array(Call.space(MAX_WRITE))
      : memory;
  const watching = new Watching(new Patience(fd, stop, look, sleep), turn, fd, stop, sleep);
  const waiting =
    thread === 0 ? new Calling(watching, calls, () => send('hire')) : new Called(watching, calls, sleep);
  return [new DeviceChannel(fd, waiting), Call.within(room, MAX_WRITE)];
}

/** Where the clients are whose requests come by it. Loaded only where it is used; it has calls of its own. */
async function byRing({ fd, stop, sleep }: WorkerData, ring: RingData): Promise<[Channel, Call]> {
  const { UringChannel } = await import('../channel/uring.ts');
  runOn(ring.queues);
  return [new UringChannel(fd, stop, sleep, ring), Call.numbered(0)];
}

/** What has been posted to this thread, which is on no event loop to be told. */
function takeNews(): News[] {
  const all: News[] = [];
  for (;;) {
    const one: { message: News } | undefined = receiveMessageOnPort(port);
    if (one === undefined) return all;
    all.push(one.message);
  }
}
