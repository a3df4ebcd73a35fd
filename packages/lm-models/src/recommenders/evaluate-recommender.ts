/** How well a recommender ranks what users had that it was not shown, beside two that learn nothing. */
import { excludeEntries, SparseBatches, type CsrRows } from '@vastmax/sparse-data';
import {
  eachBatch,
  evaluateMultiLabel,
  MultiLabelCollector,
  popularityBaseline,
  rightClasses,
  type EvaluationSpan,
  type MultiLabelMetrics,
} from '../metrics/multi-label.ts';
import { ItemNeighbors } from './item-neighbors.ts';
import type { Recommender } from './recommender.ts';
import { rowsOfAtLeast } from './recommender-models.ts';

/** How well a recommender and two simple rivals rank what was held out. */
export interface RecommenderEvaluation {
  readonly model: MultiLabelMetrics;
  /** What most users have, for everybody. */
  readonly popularity: MultiLabelMetrics;
  /** What users have who have the same. */
  readonly itemNeighbors: MultiLabelMetrics;
}

/** What is shown of users, and what is to be found. */
export interface RecommenderTest {
  /** Users×items: what is shown of each, and left out of the ranking. */
  readonly histories: CsrRows;
  /** Users×items: what is to be found. Items of the history are left out. */
  readonly targets: CsrRows;
}

/** How many users are asked, and where the lists are cut off. */
export interface RecommenderEvaluationOptions extends EvaluationSpan {
  /** Ascending; [10, 20, 50] unless given. */
  readonly ks?: readonly number[];
}

/**
 * The model's part of {@link evaluateRecommender}, without the rivals. O(users·D·d).
 * @returns metrics without examples where no user has both a history and a target.
 */
export async function rankHeldOut(
  recommender: Recommender,
  test: RecommenderTest,
  { ks = [10, 20, 50], ...span }: RecommenderEvaluationOptions = {},
): Promise<MultiLabelMetrics> {
  const batches = batchesOf(test);
  if (batches === undefined) return new MultiLabelCollector({ ks }).metrics();
  return await evaluateMultiLabel(recommender.evaluated, batches(), { ks, ...span, exclude });
}

const exclude = ({ inputs }: { readonly inputs: CsrRows }): CsrRows => inputs;

/** The users that count, in the same order each time; undefined where there are none. */
function batchesOf(test: RecommenderTest): (() => SparseBatches) | undefined {
  const { histories } = test;
  const targets = excludeEntries(test.targets, histories);
  const rows = usersOf(histories, targets);
  if (rows.length === 0) return undefined;
  return () => new SparseBatches({ inputs: histories, targets, rows, batchSize: Math.min(256, rows.length), seed: 0 });
}

/** The users of a test that count: with an item to be found, and one to start from. */
function usersOf(histories: CsrRows, targets: CsrRows): Int32Array {
  const { offsets } = histories;
  return rowsOfAtLeast(targets, 1).filter((row) => offsets[row + 1]! > offsets[row]!);
}

/**
 * Ranks the whole catalogue for each user, or for `limit` of them, a fixed sample; items of the history are left out.
 * All three models rank for the same users. O(users·D·d).
 * @returns metrics without examples where no user has both a history and a target.
 */
export async function evaluateRecommender(
  recommender: Recommender,
  test: RecommenderTest,
  { ks = [10, 20, 50], ...span }: RecommenderEvaluationOptions = {},
): Promise<RecommenderEvaluation> {
  const batches = batchesOf(test);
  if (batches === undefined) {
    const none = new MultiLabelCollector({ ks }).metrics();
    return { model: none, popularity: none, itemNeighbors: none };
  }
  const model = await rankHeldOut(recommender, test, { ks, ...span });
  const { onProgress, ...ofBaselines } = span;
  void onProgress;
  const popularity = await popularityBaseline(recommender.items.counts, batches(), { ks, ...ofBaselines, exclude });
  const neighbors = new ItemNeighbors(recommender.histories);
  const collector = new MultiLabelCollector({ ks });
  await eachBatch(batches(), ofBaselines, ({ inputs, targets: right }, count) => {
    for (let example = 0; example < count; example++)
      collector.add(neighbors.recommend(rightClasses(inputs, example), collector.depth), rightClasses(right, example));
    return Promise.resolve();
  });
  return { model, popularity, itemNeighbors: collector.metrics() };
}
