import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interrupted } from './command.ts';
import type { Programs } from './compile.ts';
import type { Contender, Mount } from './contenders/contender.ts';
import { fill } from './fill.ts';
import type { Plan } from './plan.ts';
import type { Results } from './results.ts';
import { format } from './statistics.ts';
import { warmUp } from './workloads/fio.ts';
import type { Metric, Workload } from './workloads/workload.ts';

/** From the command that mounts to a byte that was written and read back. */
export const firstByte: Metric = { id: 'first byte', topic: 'start', label: 'mount to first byte (ms)' };

export interface Run {
  readonly plan: Plan;
  /** Where to mount: a directory of the run's own. */
  readonly dir: string;
  readonly programs: Programs;
  readonly results: Results;
}

/** A contender in a round. */
interface Entrant {
  readonly contender: Contender;
  readonly mount: Mount;
  /** How many bytes the file is known to hold. */
  filled: number | undefined;
}

/** Runs a plan, with everything newly mounted in each round: A B C with the first workload, A B C with the next. */
export async function runRounds(run: Run): Promise<void> {
  const { rounds, workloads, once } = run.plan;
  for (let round = 0; round < rounds; round++) {
    const entrants: Entrant[] = [];
    try {
      for (const contender of run.plan.contenders) {
        const mount = await enter(run, round, contender);
        if (mount !== undefined) entrants.push({ contender, mount, filled: undefined });
      }
      for (const workload of round === 0 ? [...workloads, ...once] : workloads) {
        console.error(`round ${round + 1} of ${rounds}: ${workload.label}`);
        for (const entrant of entrants) await measure(run, round, entrant, workload);
      }
    } finally {
      for (const { contender, mount } of entrants) {
        // One that won't go must not keep the others.
        await mount.unmount().catch((error) => console.error(`  ${contender.label} stays mounted: ${error}`));
      }
    }
  }
}

/** Mounts a contender. One that can't be mounted in the first round is not available in the others either. */
async function enter(run: Run, round: number, contender: Contender): Promise<Mount | undefined> {
  const { results, programs } = run;
  if (results.unavailable(contender) !== undefined) return undefined;
  const dir = join(run.dir, `${round}-${contender.id}`);
  mkdirSync(dir);
  const start = performance.now();
  try {
    const mount = await contender.mount(dir, programs);
    writeFileSync(mount.file, 'x');
    if (readFileSync(mount.file, 'latin1') !== 'x') throw new Error(`${mount.file} lost what was written.`);
    results.add(contender, round, { [firstByte.id]: performance.now() - start });
    return mount;
  } catch (error) {
    const reason = reasonOf(error);
    console.error(`  ${contender.label} is not available: ${reason}`);
    if (round === 0) results.giveUp(contender, reason);
    else results.failures.push(`${contender.label}, mount in round ${round + 1}: ${reason}`);
    return undefined;
  }
}

async function measure(run: Run, round: number, entrant: Entrant, workload: Workload): Promise<void> {
  const { contender, mount } = entrant;
  try {
    await prepare(run.plan, entrant, workload.fileSize);
    const figures = await workload.run(mount, run.programs);
    run.results.add(contender, round, figures);
    console.error(`  ${contender.label}: ${Object.values(figures).map(format).join(', ')}`);
  } catch (error) {
    const reason = reasonOf(error);
    console.error(`  ${contender.label} failed: ${reason}`);
    run.results.failures.push(`${contender.label}, ${workload.label} in round ${round + 1}: ${reason}`);
  }
}

async function prepare(plan: Plan, entrant: Entrant, fileSize: number): Promise<void> {
  if (entrant.filled === fileSize) return;
  entrant.filled = undefined;
  await fill(entrant.mount.file, fileSize);
  // A workload that starts with an empty file leaves something else behind.
  if (fileSize === 0) return;
  await warmUp(entrant.mount, fileSize, plan.warmUp);
  entrant.filled = fileSize;
}

/** Why something failed, unless it was because the bench was told to end. */
function reasonOf(error: unknown): string {
  if (interrupted.signal.aborted) throw error;
  return error instanceof Error ? error.message : String(error);
}
