/** Ranking metrics of a classifier on labelled points, and of a baseline that predicts the most frequent labels. */
import { SparseBatches } from '@vastmax/sparse-data';
import { UsageError } from '../terminal/errors.ts';
import { count, Progress, table } from '../terminal/terminal.ts';
import { type LabelModel, withLabelsInOrder } from './label-model.ts';
import type { XmcRows } from '@vastmax/sparse-data/records';
import {
  computePropensities,
  evaluateMultiLabel,
  popularityBaseline,
  type MultiLabelReport,
} from '@vastmax/lm-models/metrics';

export interface LabelEvaluation {
  readonly model: MultiLabelReport;
  readonly popularity: MultiLabelReport;
}

const ks = [1, 3, 5];

/**
 * O(points · labels · width).
 * @param limit maximum number of points, a fixed sample; 0 for all.
 * @throws UsageError when none of them has a label.
 */
export async function evaluateLabels(
  { network, order, points: trained }: LabelModel,
  rows: XmcRows,
  limit: number,
  signal: AbortSignal,
): Promise<LabelEvaluation> {
  using progress = new Progress('evaluating');
  const batches = (): SparseBatches =>
    new SparseBatches({ ...withLabelsInOrder(rows, order), batchSize: 256, seed: 0 });
  const { frequencies } = network.sizes;
  const options = {
    ks,
    signal,
    ...(trained >= 3 ? { propensities: computePropensities(frequencies, trained) } : {}),
    ...(limit === 0 ? {} : { limit }),
  };
  const model = await evaluateMultiLabel(network, batches(), {
    ...options,
    onProgress: (done, total) => {
      progress.update(done / total, [`${count(done)} points`]);
    },
  });
  if (model.examples === 0)
    throw new UsageError(
      `none of the ${count(model.unlabelled)} points of the sample has a label; take a larger sample, or all points`,
    );
  return {
    model,
    popularity: await popularityBaseline(frequencies, batches(), options),
  };
}

export function describeLabelEvaluation(what: string, { model, popularity }: LabelEvaluation): string {
  const percent = (share: number | undefined): string => (share === undefined ? '-' : `${(100 * share).toFixed(1)} %`);
  const row = (name: string, { atK }: MultiLabelReport): string[] => [
    name,
    ...atK.map(({ precision }) => percent(precision)),
    percent(atK.at(-1)?.recall),
    atK.at(-1)?.ndcg.toFixed(3) ?? '',
    ...atK.map(({ propensityScoredPrecision }) => percent(propensityScoredPrecision)),
  ];
  const header = ['', ...ks.map((k) => `P@${k}`), 'R@5', 'nDCG@5', ...ks.map((k) => `PSP@${k}`)];
  const { examples, unlabelled } = model;
  const left =
    unlabelled === 0 ? '' : ` (${count(unlabelled)} without a label ${unlabelled === 1 ? 'is' : 'are'} left out)`;
  return `${what}, ${count(examples)} points${left}:\n${table([header, row('model', model), row('popularity', popularity)])}\n`;
}
