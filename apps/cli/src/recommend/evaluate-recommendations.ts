/** The metrics of a recommender, as tables. */
import { CommandFailure } from '../terminal/errors.ts';
import { count, Progress, table } from '../terminal/terminal.ts';
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

/** Why an evaluation may have no users. */
export const nothingToFind =
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
