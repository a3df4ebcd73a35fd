/**
 * `bench quality-rates`: tries a few pairs of rates for each output layer on a fraction of the training text and ranks
 * words of that text's own end, never those that `bench quality` reports on. Every layer gets the same tries, as
 * factors on its defaults. The winners are written by hand into the defaults of lm-models, as
 * packages/lm-models/src/output-layers/training-defaults.ts has them.
 */
import type { Backend } from '@vastmax/linalg-core';
import type { BackendInUse } from '../measurement/backend-choice.ts';
import type { QualityCorpus } from '../quality/corpus.ts';
import type { BodySizes } from '../quality/model.ts';
import { compare, type Metrics, summarize } from '../quality/outcomes.ts';
import type { LoggedRun } from '../quality/run-log.ts';
import { RunSeries } from '../quality/run-series.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import type { LayerSettings } from '../workload/layer-settings.ts';

/** Factors on a layer's defaults. */
export interface RateTry {
  readonly output: number;
  readonly body: number;
}

export interface RatesOptions extends BodySizes {
  readonly layers: readonly LayerSettings[];
  readonly tries: readonly RateTry[];
  readonly examples: number;
  readonly batch: number;
  readonly seed: number;
  readonly maxSecondsPerRun: number | undefined;
  readonly log: string | undefined;
}

interface RatesRow {
  readonly name: string;
  readonly layer: string;
  readonly loss: string;
  readonly outputRate: number;
  readonly bodyRate: number;
  readonly seconds: number;
  readonly examples: number;
  /** Null when the training diverged. */
  readonly metrics: Metrics | null;
  /** Of its layer's tries, as {@link bestOf} chooses. */
  readonly isBest: boolean;
}

export interface RatesReport {
  readonly bench: 'quality-rates';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly corpus: string;
  readonly heldOutWords: number;
  readonly examples: number;
  readonly rows: readonly RatesRow[];
}

export async function measureRates(
  backend: Backend,
  inUse: BackendInUse,
  corpus: QualityCorpus,
  options: Omit<RatesOptions, 'json'>,
  show: ShowStage,
): Promise<RatesReport> {
  const { layers, tries, examples, batch, seed, maxSecondsPerRun = null, log, order, embedding, hidden } = options;
  const series = await RunSeries.open({ backend, inUse, corpus, log, show });
  const rows: RatesRow[] = [];
  for (const layer of layers) {
    const runs: LoggedRun[] = [];
    for (const { output, body } of tries) {
      const tried = { ...layer, outputRate: output * layer.outputRate, bodyRate: body * layer.bodyRate };
      const plan = {
        setting: 'tuning',
        seed,
        examples,
        maximumSeconds: maxSecondsPerRun,
        batch,
        evaluate: 0,
        order,
        embedding,
        hidden,
      } as const;
      runs.push(await series.run(tried, plan));
    }
    rows.push(...rowsOf(runs));
  }
  return {
    bench: 'quality-rates',
    machine: describeMachine(),
    backend: inUse,
    corpus: corpus.name,
    heldOutWords: corpus.heldOut.last - corpus.heldOut.first,
    examples,
    rows,
  };
}

function rowsOf(runs: readonly LoggedRun[]): RatesRow[] {
  const best = bestOf(runs);
  return runs.map((run) => {
    const { name, layer, loss, outputRate, bodyRate } = run.settings;
    const { seconds, examples, outcomes } = run.result;
    const metrics = outcomes === null ? null : summarize(outcomes).metrics;
    return { name, layer, loss, outputRate, bodyRate, seconds, examples, metrics, isBest: run === best };
  });
}

/**
 * The highest mean reciprocal rank; of those that are not a standard error of the paired difference below it, the
 * lowest perplexity, where there is one. Ranks alone would choose by chance: trained again with other rounding, a
 * model's changes by as much.
 */
export function bestOf(runs: readonly LoggedRun[]): LoggedRun | undefined {
  const candidates = runs.flatMap((run) =>
    run.result.outcomes === null
      ? []
      : [{ run, outcomes: run.result.outcomes, metrics: summarize(run.result.outcomes).metrics }],
  );
  const first = candidates.toSorted((a, b) => b.metrics.mrr - a.metrics.mrr)[0];
  if (first === undefined) return undefined;
  const equals = candidates.filter(({ outcomes }) => {
    const { differences, standardErrors } = compare([{ ours: first.outcomes, theirs: outcomes }]);
    return differences.mrr <= standardErrors.mrr;
  });
  const perplexityOf = ({ metrics }: (typeof candidates)[number]): number => metrics.perplexity ?? Infinity;
  return equals.reduce((best, each) => (perplexityOf(each) < perplexityOf(best) ? each : best), first).run;
}
