/** Metrics of a classifier on labelled data: of rankings, beside the most frequent labels, and of what it predicts. */
import type { EvaluatedNetwork, EvaluationBatches, Network, TrainingBatch } from '@vastmax/lm-models';
import { SparseBatches } from '@vastmax/sparse-data';
import { UsageError } from '../terminal/errors.ts';
import { count, Progress, table } from '../terminal/terminal.ts';
import type { Classifier, LabelledRows, LabelName } from '@vastmax/lm-models/labels';
import {
  computePropensities,
  evaluateLabels as countLabels,
  evaluateMultiLabel,
  popularityBaseline,
  type LabelEvaluationReport,
  type LabelScores,
  type MultiLabelReport,
  type PredictionRule,
} from '@vastmax/lm-models/metrics';

export interface LabelEvaluation {
  readonly model: MultiLabelReport;
  readonly popularity: MultiLabelReport;
}

const ks = [1, 3, 5];

/**
 * O(examples · labels · width).
 * @param limit maximum number of examples, a fixed sample; 0 for all.
 * @throws UsageError when none of them has a label.
 */
export async function evaluateLabels(
  classifier: Classifier,
  rows: LabelledRows,
  limit: number,
  signal: AbortSignal,
): Promise<LabelEvaluation> {
  return await evaluateExamples(classifier, () => new SparseBatches({ ...rows, batchSize: 256, seed: 0 }), {
    limit,
    what: nameOfExamples(classifier),
    signal,
  });
}

/** A classifier of any inputs. */
interface EvaluatedClassifier<Batch> {
  readonly network: EvaluatedNetwork<Batch> & Pick<Network<Batch>, 'sizes'>;
  readonly examples: number;
}

interface EvaluationOptions {
  /** Maximum number of examples, a fixed sample; 0 for all. */
  readonly limit: number;
  /** What the examples are. */
  readonly what: string;
  readonly signal: AbortSignal;
}

/**
 * As evaluateLabels, of one epoch of minibatches.
 * @throws UsageError when none of them has a label.
 */
export async function evaluateExamples<Batch extends TrainingBatch>(
  { network, examples: trained }: EvaluatedClassifier<NoInfer<Batch>>,
  batches: () => EvaluationBatches<Batch>,
  { limit, what, signal }: EvaluationOptions,
): Promise<LabelEvaluation> {
  using progress = new Progress('evaluating');
  const { frequencies } = network.sizes;
  const options = {
    ks,
    ...span(limit, signal),
    ...(trained >= 3 ? { propensities: computePropensities(frequencies, trained) } : {}),
  };
  const model = await evaluateMultiLabel(network, batches(), {
    ...options,
    onProgress: (done, total) => {
      progress.update(done / total, [`${count(done)} ${what}`]);
    },
  });
  if (model.examples === 0)
    throw new UsageError(
      `none of the ${count(model.unlabelled)} ${what} of the sample has a label; take a larger sample, or all`,
    );
  return {
    model,
    popularity: await popularityBaseline(frequencies, batches(), options),
  };
}

const span = (limit: number, signal: AbortSignal): { readonly signal: AbortSignal; readonly limit?: number } => ({
  signal,
  ...(limit === 0 ? {} : { limit }),
});

export const nameOfExamples = ({ texts }: Pick<Classifier, 'texts'>): string =>
  texts === undefined ? 'points' : 'texts';

const percent = (share: number | undefined): string => (share === undefined ? '-' : `${(100 * share).toFixed(1)} %`);

/** @param examples what they are: points or texts. */
export function describeLabelEvaluation(
  what: string,
  { model, popularity }: LabelEvaluation,
  examples = 'points',
): string {
  const row = (name: string, { atK }: MultiLabelReport): string[] => [
    name,
    ...atK.map(({ precision }) => percent(precision)),
    percent(atK.at(-1)?.recall),
    atK.at(-1)?.ndcg.toFixed(3) ?? '',
    ...atK.map(({ propensityScoredPrecision }) => percent(propensityScoredPrecision)),
  ];
  const header = ['', ...ks.map((k) => `P@${k}`), 'R@5', 'nDCG@5', ...ks.map((k) => `PSP@${k}`)];
  const { unlabelled } = model;
  const left =
    unlabelled === 0 ? '' : ` (${count(unlabelled)} without a label ${unlabelled === 1 ? 'is' : 'are'} left out)`;
  return `${what}, ${count(model.examples)} ${examples}${left}:\n${table([header, row('model', model), row('popularity', popularity)])}\n`;
}

/** Scores of the labels that a rule predicts, as JSON. */
export interface PredictionEvaluation extends PredictionRule, Omit<LabelEvaluationReport, 'classes'> {
  readonly labels: readonly ({ readonly label: LabelName } & LabelScores)[];
}

/** What is right of the labels that are predicted by a rule. O(examples · labels · width). */
export async function evaluatePredictions<Batch extends TrainingBatch>(
  { network, labels }: { readonly network: EvaluatedNetwork<NoInfer<Batch>>; readonly labels: ArrayLike<LabelName> },
  batches: EvaluationBatches<Batch>,
  rule: PredictionRule,
  limit: number,
  signal: AbortSignal,
): Promise<PredictionEvaluation> {
  const { classes, ...all } = await countLabels(network, batches, { ...rule, ...span(limit, signal) });
  return {
    ...rule,
    ...all,
    labels: classes.map(({ class: index, ...scores }) => ({ label: labels[index] ?? -1, ...scores })),
  };
}

/** @param perLabel whether a line for each label is printed too. */
export function describePredictions(evaluation: PredictionEvaluation, perLabel: boolean): string {
  const { k, threshold, labels, ...all } = evaluation;
  const limit = threshold === undefined ? '' : ` of at least ${threshold}`;
  const row = (name: string, { precision, recall, f1, predicted, right }: LabelScores): string[] => [
    name,
    percent(precision),
    percent(recall),
    f1 === undefined ? '-' : f1.toFixed(3),
    count(right),
    count(predicted),
  ];
  const header = ['', 'precision', 'recall', 'F1', 'support', 'predicted'];
  const rows = [
    header,
    row('all labels', all),
    ...(perLabel ? labels.map(({ label, ...scores }) => row(String(label), scores)) : []),
  ];
  return `the ${k === 1 ? 'best label' : `${count(k)} best labels`}${limit} of each:\n${table(rows)}\n`;
}
