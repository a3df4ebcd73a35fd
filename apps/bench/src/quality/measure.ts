/**
 * `bench quality`: the same n-gram model with each output layer, trained on the same number of examples and for the
 * same time, and the ranks of held-out words, overall and by the frequency of the word. Rates are those
 * that `bench quality-rates` found.
 */
import type { Backend } from '@vastmax/linalg-core';
import type { BackendInUse } from '../measurement/backend-choice.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import type { LayerSettings } from '../workload/layer-settings.ts';
import type { QualityCorpus } from './corpus.ts';
import type { BodySizes } from './model.ts';
import type { LoggedRun } from './run-log.ts';
import { RunSeries } from './run-series.ts';
import { type QualityReport, qualityReport } from './summarize-runs.ts';

export interface QualityOptions extends BodySizes {
  readonly layers: readonly LayerSettings[];
  readonly seeds: readonly number[];
  /** Of the runs of equal time; without it there are none. */
  readonly budgetSeconds: number | undefined;
  /** Of the runs of equal examples; an epoch unless given. */
  readonly examples: number | undefined;
  /** 0 for none of these runs. */
  readonly maxSecondsPerRun: number | undefined;
  readonly batch: number;
  readonly evaluate: number;
  readonly log: string | undefined;
}

export async function measureQuality(
  backend: Backend,
  inUse: BackendInUse,
  corpus: QualityCorpus,
  options: QualityOptions,
  show: ShowStage,
): Promise<QualityReport> {
  const {
    layers,
    seeds,
    budgetSeconds,
    maxSecondsPerRun = null,
    batch,
    evaluate,
    log,
    order,
    embedding,
    hidden,
    sequences,
  } = options;
  const { examples = corpus.training.last - corpus.training.first } = options;
  const series = await RunSeries.open({ backend, inUse, corpus, log, show });
  const common = { batch, evaluate, order, embedding, hidden, ...(sequences === undefined ? {} : { sequences }) };
  const runs: LoggedRun[] = [];
  for (const seed of seeds) {
    for (const layer of layers) {
      runs.push(
        await series.run(layer, {
          ...common,
          setting: 'equal-examples',
          seed,
          examples,
          maximumSeconds: maxSecondsPerRun,
        }),
      );
      if (budgetSeconds === undefined) continue;
      runs.push(
        await series.run(layer, {
          ...common,
          setting: 'equal-time',
          seed,
          examples: null,
          maximumSeconds: budgetSeconds,
        }),
      );
    }
  }
  return qualityReport(runs);
}
