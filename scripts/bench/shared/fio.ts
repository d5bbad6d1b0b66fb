import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { owned } from './own.ts';

const run = promisify(execFile);

/** What clients of fio do to a file of 64 MiB. */
export interface Job {
  readonly file: string;
  readonly way: 'read' | 'write';
  /** How many bytes a call has. */
  readonly size: number;
  readonly clients: number;
  /** For how many seconds. */
  readonly seconds: number;
  /** How many calls a second each client makes at most. */
  readonly rate?: number | undefined;
}

/** Calls a second, how many there were, and how many seconds of a processor the clients took. */
export async function fio({ file, way, size, clients, seconds, rate }: Job) {
  const what = [
    `--filename=${file}`,
    `--rw=rand${way}`,
    `--bs=${size}`,
    `--numjobs=${clients}`,
    '--size=64M',
  ];
  const how = [
    '--ioengine=psync',
    '--time_based',
    `--runtime=${Math.round(seconds * 1000)}ms`,
    '--allow_file_create=0',
  ];
  const limit = rate === undefined ? [] : [`--rate_iops=${rate}`];
  // fio takes whole numbers, and for a part of a second it would go on for ever.
  const running = run('fio', [
    '--name=one',
    ...what,
    ...how,
    ...limit,
    '--group_reporting',
    '--output-format=json',
  ]);
  owned(running.child);
  const { stdout } = await running;
  const [job] = JSON.parse(stdout).jobs;
  const { iops, total_ios, runtime } = job[way];
  // Percents of the time of all of them together.
  const cpu: number = ((job.usr_cpu + job.sys_cpu) / 100) * (runtime / 1000) * clients;
  return { rate: Math.round(iops), calls: Number(total_ios), seconds: cpu };
}
