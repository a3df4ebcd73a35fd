/**
 * Rankings over all D classes, exact, by blocks of classes, so that m×D scores are never in memory. O(m·D·d) arithmetic
 * and O(m·block) memory: for evaluation and prediction, never for a training step.
 */
import { createHostArray, read, type Matrix } from '@vastmax/linalg-core';
import { OutputLayerError } from './errors.ts';
import type { OutputLayer, TopK } from './output-layer.ts';

/** Scores in memory at a time; 1,048,576 numbers of f32 are 4 MiB. */
const scoresPerBlock = 1_048_576;

/**
 * The k best classes of each example, best first; of equal scores the smaller class number.
 * @param hidden m×d.
 */
export async function topK(layer: OutputLayer, hidden: Matrix, k: number, options: RankingOptions = {}): Promise<TopK> {
  if (!Number.isSafeInteger(k) || k < 1 || k > layer.classes) {
    throw new OutputLayerError(
      'bad-option',
      `topK: k must be a whole number from 1 to ${layer.classes} (the classes), got ${k}`,
    );
  }
  return layer.bestClasses?.(hidden, k) ?? withFixedWeights(layer, 'topK', () => bestOf(layer, hidden, k, options));
}

async function bestOf(layer: OutputLayer, hidden: Matrix, k: number, options: RankingOptions): Promise<TopK> {
  const examples = hidden.rows;
  const classes = new Int32Array(examples * k).fill(-1);
  const scores = new Float64Array(examples * k).fill(-Infinity);
  await forEachBlock(layer, hidden, options, (block, firstClass, count) => {
    for (let example = 0; example < examples; example++) {
      const base = example * k;
      let worst = scores[base + k - 1]!;
      for (let column = 0; column < count; column++) {
        const score = block[example * count + column]!;
        if (!(score > worst) && classes[base + k - 1]! >= 0) continue;
        // Insertion into a short sorted list; classes come in ascending order, so equal scores stay in that order.
        let position = base + k - 1;
        while (position > base && (classes[position - 1]! < 0 || scores[position - 1]! < score)) {
          scores[position] = scores[position - 1]!;
          classes[position] = classes[position - 1]!;
          position--;
        }
        scores[position] = score;
        classes[position] = firstClass + column;
        worst = scores[base + k - 1]!;
      }
    }
  });
  return { k, classes, scores };
}

/** As the layer's own method, for one that has none: then nobody keeps a step from changing weights between blocks. */
export function withFixedWeights<Result>(
  layer: Pick<OutputLayer, 'withFixedWeights'>,
  operation: string,
  action: () => Promise<Result>,
): Promise<Result> {
  return layer.withFixedWeights?.(operation, action) ?? action();
}

/** How to stop a ranking, and to see how many classes are scored. */
export interface RankingOptions {
  /** Called after each block with the classes scored so far. */
  readonly onProgress?: (classesScored: number) => void;
  /** An AbortSignal. */
  readonly signal?: { throwIfAborted(): void };
}

/**
 * The rank (1 is best) of one target class for each example among all classes. A tie counts half: a constant score
 * gives the middle rank, so that ties favour no layer.
 * @param targets m class numbers.
 * @throws OutputLayerError `diverged` when a target's score is not a number.
 */
export async function ranksOf(
  layer: OutputLayer,
  hidden: Matrix,
  targets: Int32Array,
  options: RankingOptions = {},
): Promise<Float64Array> {
  const examples = hidden.rows;
  if (targets.length !== examples) {
    throw new OutputLayerError('shape', `ranksOf: ${targets.length} targets for ${examples} examples; one each`);
  }
  return withFixedWeights(layer, 'ranksOf', () => ranksAmongAll(layer, hidden, targets, options));
}

async function ranksAmongAll(
  layer: OutputLayer,
  hidden: Matrix,
  targets: Int32Array,
  options: RankingOptions,
): Promise<Float64Array> {
  const examples = hidden.rows;
  using column = layer.backend.createMatrix(examples, 1);
  layer.classScores(hidden, targets, column);
  const own = await read(column);
  const ranks = new Float64Array(examples).fill(1);
  for (let example = 0; example < examples; example++) {
    if (Number.isNaN(own[example])) {
      throw new OutputLayerError(
        'diverged',
        `ranksOf: the score of class ${targets[example]!} for example ${example} is NaN`,
      );
    }
  }
  await forEachBlock(layer, hidden, options, (block, firstClass, columns) => {
    for (let example = 0; example < examples; example++) {
      const score = own[example]!;
      const target = targets[example]! - firstClass;
      let rank = ranks[example]!;
      for (let other = 0, i = example * columns; other < columns; other++, i++) {
        // The target's own column may differ from `own` in the last bit, so it is left out rather than compared.
        if (other === target) continue;
        if (block[i]! > score) rank++;
        else if (block[i] === score) rank += 0.5;
      }
      ranks[example] = rank;
    }
  });
  return ranks;
}

async function forEachBlock(
  layer: OutputLayer,
  hidden: Matrix,
  options: RankingOptions,
  visit: (block: ArrayLike<number>, firstClass: number, columns: number) => void,
): Promise<void> {
  const width = Math.max(1, Math.min(layer.classes, Math.floor(scoresPerBlock / Math.max(1, hidden.rows))));
  using out = layer.backend.createMatrix(hidden.rows, width);
  const host = createHostArray(layer.backend, hidden.rows * width);
  for (let firstClass = 0; firstClass < layer.classes; firstClass += width) {
    options.signal?.throwIfAborted();
    const columns = Math.min(width, layer.classes - firstClass);
    layer.scores(hidden, firstClass, out.resize(hidden.rows, columns));
    await read(out, host);
    visit(host, firstClass, columns);
    options.onProgress?.(firstClass + columns);
  }
}
