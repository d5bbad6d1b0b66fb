import type { Statistics } from '../daemon/control/messages.ts';
import { bucketEnd } from '../transport/statistics.ts';

type Labels = Readonly<Record<string, string>>;

/** Bounds of a histogram, in seconds: one in four of ours. */
const STEP = 4;
const LAST = 104;

/** What was counted of a mount, as a program scrapes it. Source: Prometheus, "Exposition formats". */
export function prometheus(dir: string, now: Statistics): string {
  const lines: string[] = [];
  const family = (name: string, type: string, help: string) =>
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  const sample = (name: string, labels: Labels, value: number) => {
    const all = Object.entries({ dir, ...labels }).map(([label, text]) => `${label}="${escaped(text)}"`);
    lines.push(`${name}{${all.join(',')}} ${value}`);
  };
  family('ramproc_requests_total', 'counter', 'Requests of the kernel that were answered.');
  for (const { operation, path, requests } of now.operations) {
    sample('ramproc_requests_total', { operation, file: path }, requests);
  }
  family('ramproc_bytes_total', 'counter', 'Bytes of data read, written or copied.');
  for (const { operation, path, bytes } of now.operations) {
    if (bytes > 0) sample('ramproc_bytes_total', { operation, file: path }, bytes);
  }
  family('ramproc_errors_total', 'counter', 'Requests that were answered with an error.');
  for (const { operation, path, errors } of now.operations) {
    for (const [error, count] of Object.entries(errors)) {
      sample('ramproc_errors_total', { operation, file: path, error }, count);
    }
  }
  family('ramproc_request_seconds', 'histogram', `How long requests took, of one in ${now.sample}.`);
  for (const { operation, path, timed, sum, buckets } of now.operations) {
    const labels = { operation, file: path };
    for (let bound = 0; bound < LAST; bound += STEP) {
      const count = buckets.reduce((total, [bucket, n]) => (bucket <= bound ? total + n : total), 0);
      sample('ramproc_request_seconds_bucket', { ...labels, le: String(bucketEnd(bound) / 1000) }, count);
    }
    sample('ramproc_request_seconds_bucket', { ...labels, le: '+Inf' }, timed);
    sample('ramproc_request_seconds_sum', labels, sum / 1000);
    sample('ramproc_request_seconds_count', labels, timed);
  }
  family('ramproc_thread_cpu_seconds_total', 'counter', 'Time that a thread was on a processor.');
  for (const { name, cpu } of now.threads) {
    if (cpu !== undefined) sample('ramproc_thread_cpu_seconds_total', { thread: name }, cpu);
  }
  for (const [name, help, value] of [
    ['open_files', 'Files that are open.', now.open],
    ['used_bytes', 'Memory that files take.', now.used],
    ['limit_bytes', 'Memory that files may take.', now.most],
    ['resident_bytes', 'Resident memory of the process, with that of its files.', now.resident],
  ] as const) {
    family(`ramproc_${name}`, 'gauge', help);
    sample(`ramproc_${name}`, {}, value);
  }
  if (now.engine !== undefined) {
    const { url, key, version, state, roundTrip, replicas } = now.engine;
    const labels = { engine: url, key, version };
    for (const [name, help, value] of [
      ['connected', 'Whether the engine that has the file answers.', state === 'connected' ? 1 : 0],
      ['round_trip_seconds', 'How long a command takes to it and back.', roundTrip && roundTrip / 1000],
      ['replicas', 'Replicas that it has.', replicas.there],
      ['replicas_wanted', 'Replicas that must have a change before it is answered.', replicas.wanted],
    ] as const) {
      if (value === undefined) continue;
      family(`ramproc_engine_${name}`, 'gauge', help);
      sample(`ramproc_engine_${name}`, labels, value);
    }
  }
  return lines.join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
