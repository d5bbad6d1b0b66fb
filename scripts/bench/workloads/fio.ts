import { output } from '../command.ts';
import type { Mount } from '../contenders/contender.ts';
import { cpuSeconds } from '../server-process.ts';
import { KiB, MiB, sizeName } from '../sizes.ts';
import type { Metric, Topic, Workload } from './workload.ts';

const REQUESTS = 100_000;

interface Job {
  readonly topic: 'random' | 'sequential';
  /** fio's `rw`. */
  readonly rw: string;
  readonly block: number;
}

const randomRead: Job = { topic: 'random', rw: 'randread', block: 4 * KiB };
const randomWrite: Job = { topic: 'random', rw: 'randwrite', block: 4 * KiB };
const read: Job = { topic: 'sequential', rw: 'read', block: MiB };
const write: Job = { topic: 'sequential', rw: 'write', block: MiB };
const mixed: Job = { topic: 'sequential', rw: 'randrw', block: 64 * KiB };

const names: Readonly<Record<string, string>> = {
  randread: 'random read',
  randwrite: 'random write',
  read: 'read',
  write: 'write',
  randrw: 'mixed 70/30',
};

/** Each job by so many clients, on a file of `fileSize` bytes, for `seconds` each. The mixed one is by one client. */
export function fioWorkloads(fileSize: number, seconds: number, clients: readonly number[]): Workload[] {
  const jobs = [randomRead, randomWrite, read, write];
  return [
    ...clients.flatMap((count) => jobs.map((job) => fio(job, count, fileSize, seconds))),
    fio(mixed, 1, fileSize, seconds),
  ];
}

function fio(job: Job, clients: number, fileSize: number, seconds: number): Workload {
  const name = `${names[job.rw]} ${sizeName(job.block)}, ${clients} job${clients === 1 ? '' : 's'}`;
  const label = fileSize > 64 * MiB ? `${name}, ${sizeName(fileSize)} file` : name;
  const metric = (topic: Topic): Metric => ({ id: `${topic} of ${label}`, topic, label });
  const [rate, p50, p99, cpu] = [metric(job.topic), metric('p50'), metric('p99'), metric('cpu')] as const;
  return {
    label,
    metrics: [rate, p50, p99, cpu],
    fileSize,
    async run({ file, pid }) {
      const before = pid === undefined ? 0 : cpuSeconds(pid);
      const result = await runFio(file, job, clients, fileSize, seconds);
      const figures = {
        [rate.id]: job.topic === 'random' ? result.iops : result.bytes / 1e6,
        [p50.id]: result.p50 / 1000,
        [p99.id]: result.p99 / 1000,
      };
      if (pid === undefined) return figures;
      return { ...figures, [cpu.id]: ((cpuSeconds(pid) - before) / result.requests) * REQUESTS };
    },
  };
}

/** Random reads by more clients than there are processors or threads that serve. */
export function manyClients(fileSize: number, seconds: number, clients: readonly number[]): Workload[] {
  return clients.map((count) => fio(randomRead, count, fileSize, seconds));
}

/** Runs every handler often enough to be compiled, and fills caches where there are some. */
export async function warmUp({ file }: Mount, fileSize: number, seconds: number): Promise<void> {
  await output('dd', `if=${file}`, 'of=/dev/null', 'bs=1M');
  await runFio(file, { ...mixed, block: 4 * KiB }, 1, fileSize, seconds);
}

/** What fio says of one direction, in its JSON. */
interface Direction {
  readonly iops: number;
  readonly bw_bytes: number;
  readonly total_ios: number;
  /** Nanoseconds by percentile. Missing when there were no requests. */
  readonly clat_ns: { readonly percentile?: Readonly<Record<string, number>> };
}

/** Rates are a second, latencies nanoseconds; those of a mixed job are its reads'. */
async function runFio(file: string, { rw, block }: Job, clients: number, fileSize: number, seconds: number) {
  // Each sequential client has a part of the file of its own. Nothing creates, lengthens or drops from the cache.
  const part = rw === 'read' || rw === 'write' ? fileSize / clients : fileSize;
  const said = await output(
    'fio',
    '--name=bench',
    `--filename=${file}`,
    `--rw=${rw}`,
    '--rwmixread=70',
    `--bs=${block}`,
    `--size=${part}`,
    `--offset_increment=${part % fileSize}`,
    `--numjobs=${clients}`,
    '--ioengine=psync',
    '--time_based',
    `--runtime=${Math.round(seconds * 1000)}ms`,
    '--norandommap',
    '--group_reporting',
    '--allow_file_create=0',
    '--fallocate=none',
    '--invalidate=0',
    '--output-format=json',
  );
  // Notes to people may stand in front of it.
  const { jobs }: { jobs: { read: Direction; write: Direction }[] } = JSON.parse(
    said.slice(said.indexOf('{')),
  );
  const [group] = jobs;
  if (group === undefined || group.read.total_ios + group.write.total_ios === 0) {
    throw new Error('fio made no request.');
  }
  const latency = (group.read.total_ios > 0 ? group.read : group.write).clat_ns.percentile ?? {};
  return {
    iops: group.read.iops + group.write.iops,
    bytes: group.read.bw_bytes + group.write.bw_bytes,
    requests: group.read.total_ios + group.write.total_ios,
    p50: latency['50.000000'] ?? Number.NaN,
    p99: latency['99.000000'] ?? Number.NaN,
  };
}
