/** The metrics of a recommender, as tables. */
import { CommandFailure } from '../terminal/errors.ts';
import { count, Progress, table, warn } from '../terminal/terminal.ts';
import { excludeEntries } from '@vastmax/sparse-data';
import type { TrainOptions } from '../options/training-options.ts';
import type { RecommenderData } from './interaction-data.ts';
import type { MultiLabelMetricsAtK } from '@vastmax/lm-models/metrics';
import {
  evaluateRecommender,
  type Recommender,
  type RecommenderEvaluation,
  type RecommenderTest,
} from '@vastmax/lm-models/recommenders';

/**
 * O(users · items · width).
 * @param limit maximum number of users, a fixed sample; 0 for all.
 * @throws CommandFailure when none of them has an item to be found.
 */
export async function evaluateWithProgress(
  recommender: Recommender,
  test: RecommenderTest,
  { limit, ks, signal }: { readonly limit: number; readonly ks?: readonly number[]; readonly signal: AbortSignal },
): Promise<RecommenderEvaluation> {
  using progress = new Progress('evaluating');
  const evaluation = await evaluateRecommender(recommender, test, {
    signal,
    ...(limit === 0 ? {} : { limit }),
    ...(ks === undefined ? {} : { ks }),
    onProgress: (done, total) => {
      progress.update(done / total, [`${count(done)} users`]);
    },
  });
  if (evaluation.model.examples === 0) throw new CommandFailure(nothingToFind);
  return evaluation;
}

/** The figures of what was held out of a training, at its end; nothing where `--hold-out 0` asked for that. */
export async function printEvaluation(
  recommender: Recommender,
  data: Pick<RecommenderData, 'histories' | 'heldOut' | 'division'>,
  { holdOut, evaluate }: Pick<TrainOptions, 'holdOut' | 'evaluate'>,
  signal: AbortSignal,
): Promise<void> {
  if (holdOut === 0) return;
  if (!hasTargets(data)) {
    warn(nothingToFind);
    return;
  }
  const { histories, heldOut: targets, division } = data;
  const evaluation = await evaluateWithProgress(recommender, { histories, targets }, { limit: evaluate, signal });
  process.stdout.write(`\n${describeRecommenderEvaluation(division, evaluation)}`);
}

/** Whether a user with a history has a held-out item that is not in it. */
export function hasTargets({ histories, heldOut }: Pick<RecommenderData, 'histories' | 'heldOut'>): boolean {
  const { offsets } = excludeEntries(heldOut, histories);
  for (let user = 0; user < histories.rows; user++)
    if (offsets[user + 1]! > offsets[user]! && histories.offsets[user + 1]! > histories.offsets[user]!) return true;
  return false;
}

/** Why an evaluation may have no users. */
const nothingToFind =
  'there is nothing to evaluate: no user has both a history and an item held out that the model knows and the user did not have before (repeated items are not ranked)';

/** A block of lines for each k. */
export function describeRecommenderEvaluation(what: string, evaluation: RecommenderEvaluation): string {
  const { model, popularity, itemNeighbors } = evaluation;
  const rows = model.atK.flatMap(({ k }, at) => [
    [`top ${k}`, ...columns.map(([name]) => name)],
    ...(
      [
        ['model', model],
        ['item-kNN', itemNeighbors],
        ['popularity', popularity],
      ] as const
    ).map(([name, { atK }]) => [`  ${name}`, ...columns.map(([, value]) => value(atK[at]!).toFixed(4))]),
  ]);
  return `${what}, ${count(model.examples)} users:\n${table(rows)}\n`;
}

const columns: readonly (readonly [name: string, value: (at: MultiLabelMetricsAtK) => number])[] = [
  ['Recall', ({ recall }) => recall],
  ['NDCG', ({ ndcg }) => ndcg],
  ['hit rate', ({ hitRate }) => hitRate],
  ['MRR', ({ reciprocalRank }) => reciprocalRank],
  ['precision', ({ precision }) => precision],
  ['MAP', ({ averagePrecision }) => averagePrecision],
];
