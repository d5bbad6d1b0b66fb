import type { Contender } from './contenders/contender.ts';
import type { Figures, Metric } from './workloads/workload.ts';

/** All figures of a run. */
export class Results {
  readonly contenders: readonly Contender[];
  readonly metrics: readonly Metric[];
  /** Figures by contender, metric and round. */
  readonly #figures = new Map<string, (number | undefined)[]>();
  readonly #unavailable = new Map<Contender, string>();
  /** What went wrong with contenders that were there, one sentence each. */
  readonly failures: string[] = [];

  constructor(contenders: readonly Contender[], metrics: readonly Metric[]) {
    this.contenders = contenders;
    this.metrics = metrics;
  }

  add(contender: Contender, round: number, figures: Figures): void {
    for (const [metric, figure] of Object.entries(figures)) {
      this.#row(contender, metric)[round] = figure;
    }
  }

  /** The contender can't be mounted on this machine. */
  giveUp(contender: Contender, reason: string): void {
    this.#unavailable.set(contender, reason);
  }

  /** Why a contender can't be mounted, if it can't. */
  unavailable(contender: Contender): string | undefined {
    return this.#unavailable.get(contender);
  }

  /** One figure for each round that gave one. */
  figures(contender: Contender, metric: Metric): number[] {
    return this.#row(contender, metric.id).filter((figure) => figure !== undefined);
  }

  /** A contender's figure over another's, round by round: what the machine was busy with meanwhile, both had. */
  ratios(contender: Contender, base: Contender, metric: Metric): number[] {
    const below = this.#row(base, metric.id);
    return this.#row(contender, metric.id).flatMap((figure, round) => {
      const divisor = below[round];
      return figure === undefined || divisor === undefined ? [] : [figure / divisor];
    });
  }

  #row(contender: Contender, metric: string): (number | undefined)[] {
    const key = `${contender.id}\n${metric}`;
    const row = this.#figures.get(key) ?? [];
    this.#figures.set(key, row);
    return row;
  }
}
