import { Random } from '../bytes/random.ts';

/** The environment variable that hands the seed to child processes. */
const NAME = 'RAMPROC_TEST_SEED';

/** Seeds are from 0 to this - 1. */
export const SEEDS = 2 ** 31;

let next: Random | undefined;

/** The seed that a command was given with --seed, or else another one each time. */
export function seedFrom(option: string | undefined): number {
  const seed = Number(option ?? Date.now() % SEEDS);
  if (Number.isInteger(seed) && seed >= 0 && seed < SEEDS) return seed;
  throw new Error(`--seed needs a whole number from 0 to ${SEEDS - 1}, not "${option}".`);
}

/** Has all that is random in this process, and in those that it starts, made from a number. */
export function plantSeed(seed: number): void {
  process.env[NAME] = String(seed);
  next = new Random(seed);
}

/** The number that all that is random in this process is made from. */
export function seed(): number {
  const value = process.env[NAME];
  if (value === undefined) throw new Error('No seed was planted; see test/support/seed.ts.');
  return Number(value);
}

/** Another number each time, for what needs a seed of its own. */
export function nextSeed(): number {
  next ??= new Random(seed());
  return next.below(SEEDS);
}

/** The environment of a process with a seed of its own. */
export function withNextSeed(): NodeJS.ProcessEnv {
  return { ...process.env, [NAME]: String(nextSeed()) };
}
