import { Random } from '../bytes/random.ts';
import { pulse } from '../support/run.ts';
import { nextSeed } from '../support/seed.ts';
import { Subject } from './subject.ts';
import { simplest, type Way, ways } from './ways.ts';

/** How many mounts at once. */
const LANES = 3;

/** What came of a run. */
export interface SignalsReport {
  readonly text: string;
  readonly failures: readonly string[];
}

/** Sends so many random signals at random moments to mounts, one after the other, and looks at what each leaves. */
export async function soakWithSignals(count: number, stop: AbortSignal): Promise<SignalsReport> {
  const began = Date.now();
  const failures: string[] = [];
  const outcomes = new Map<string, number>();
  let [sent, mounts] = [0, 0];
  const more = () => sent < count && !stop.aborted && failures.length < 10;
  // Beside each other, as those that follow.
  const starts = await Promise.all(Array.from({ length: LANES }, () => lifeOf(simplest)));
  const life = Math.max(...starts);
  const lane = async () => {
    while (more()) {
      const random = new Random(nextSeed());
      const subject = new Subject(ways[random.below(ways.length)] ?? simplest, random);
      pulse();
      mounts++;
      try {
        const outcome = await subject.live(life, () => more() && sent++ < count);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      } catch (error) {
        failures.push(`${subject.story}: ${error instanceof Error ? error.message : error}`);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const rows = [...outcomes].toSorted().map(([outcome, times]) => `| ${outcome} | ${times} |`);
  const text = [
    `**${Math.min(sent, count)} signals to ${mounts} mounts in ${Math.round((Date.now() - began) / 1000)} s: ${failures.length} failures**`,
    '',
    ...['| how the mount ended | how often |', '| --- | --: |', ...rows],
    '',
  ].join('\n');
  return { text, failures };
}

/** How long a mount takes from its start to its end that gets no signal, in milliseconds. */
async function lifeOf(way: Way): Promise<number> {
  const began = performance.now();
  const subject = new Subject(way, new Random(0));
  await subject.live(0, () => false);
  return performance.now() - began;
}
