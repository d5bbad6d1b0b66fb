import { truncateSync } from 'node:fs';
import { MiB } from '../../scripts/bench/sizes.ts';
import { HANGS_AFTER } from '../support/hanging.ts';
import { run } from '../support/mount.ts';
import { nextSeed } from '../support/seed.ts';

const JOBS = 4;
const SIZE = 8 * MiB;

/** Bytes that fio wrote, and read and found right. */
export interface Verified {
  readonly written: number;
  readonly read: number;
}

/** Verifies for some seconds, and longer when there was time for writes alone, as on a machine that is busy. */
export async function verify(file: string, seconds: number): Promise<Verified> {
  const verified = await verifyFor(file, seconds);
  if (verified.read > 0) return verified;
  if (seconds * 1000 > HANGS_AFTER) throw new Error('fio read nothing back.');
  return verify(file, 2 * seconds);
}

/**
 * Lets four jobs of fio write at random and read back what they wrote, for some seconds, each in a part of the file of its
 * own and each block with its CRC-32C in it. Throws fio's words when a block was wrong or a call failed.
 */
async function verifyFor(file: string, seconds: number): Promise<Verified> {
  truncateSync(file, 0);
  truncateSync(file, JOBS * SIZE);
  const { status, stdout, stderr } = await run(
    'fio',
    '--name=verify',
    `--filename=${file}`,
    '--rw=randwrite',
    '--bsrange=4k-128k',
    `--size=${SIZE}`,
    `--offset_increment=${SIZE}`,
    `--numjobs=${JOBS}`,
    '--ioengine=psync',
    '--time_based',
    `--randseed=${nextSeed()}`,
    `--runtime=${Math.round(seconds * 1000)}ms`,
    '--verify=crc32c',
    '--verify_fatal=1',
    '--verify_state_save=0',
    // Reads start after so many writes, instead of when all is written.
    '--verify_backlog=64',
    '--allow_file_create=0',
    '--fallocate=none',
    '--invalidate=0',
    '--group_reporting',
    '--output-format=json',
  );
  if (status !== 0) throw new Error(`fio ended with status ${status}: ${stderr.trim()}`);
  // Notes to people may stand in front of it.
  const { jobs } = JSON.parse(stdout.slice(stdout.indexOf('{')));
  const [{ error, read, write }] = jobs;
  if (error !== 0) throw new Error(`fio's jobs ended with error ${error}: ${stderr.trim()}`);
  return { written: write.io_bytes, read: read.io_bytes };
}
