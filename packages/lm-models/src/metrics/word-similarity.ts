/**
 * Compares word vectors with human judgements: the rank correlation of cosines with scores, over the pairs whose words
 * have vectors.
 */
import { SparseDataError, type TextLines } from '@vastmax/sparse-data';
import { parseCsv } from '@vastmax/sparse-data/records';
import { gatherRows, read, writeIndices, type RowTable } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import { ModelError } from '../model-error.ts';

/** Two words, and how similar people found them. */
export interface WordPair {
  readonly first: string;
  readonly second: string;
  /** Human score; higher means more similar. */
  readonly score: number;
}

/** The rank correlation with the judgements of people, and how many pairs had both words. */
export interface WordSimilarity {
  /** Spearman's ρ over the covered pairs; NaN for fewer than two. */
  readonly correlation: number;
  readonly covered: number;
  readonly pairs: number;
  /** covered / pairs. */
  readonly coverage: number;
}

/**
 * Pairs from a file of two words and a score, separated by tabs, without a header: MEN, WordSim-353, SimLex.
 * @param options.name names the input in an error.
 * @throws SparseDataError naming the line: `bad-csv` for other than three fields, `non-finite-value` for a score that
 * is no number.
 */
export async function readWordPairs(lines: TextLines, options: { readonly name?: string } = {}): Promise<WordPair[]> {
  const { name = 'input' } = options;
  const pairs: WordPair[] = [];
  for await (const { line, fields } of parseCsv(lines, { name, delimiter: '\t', quotes: 'none' })) {
    const [first = '', second = '', scoreText = ''] = fields;
    const score = scoreText.trim() === '' ? Number.NaN : Number(scoreText);
    if (fields.length !== 3 || first === '' || second === '') {
      throw new SparseDataError(
        'bad-csv',
        `readWordPairs: ${name}: line ${line}: ${JSON.stringify(fields.join('\t').slice(0, 60))} is not a pair; two words and a score, separated by tabs, are needed`,
      );
    }
    if (!Number.isFinite(score)) {
      throw new SparseDataError(
        'non-finite-value',
        `readWordPairs: ${name}: line ${line}: the score of '${first}' and '${second}' is ${JSON.stringify(scoreText)}; a number is needed`,
      );
    }
    pairs.push({ first, second, score });
  }
  return pairs;
}

/**
 * O(pairs · width).
 * @param vectorOf a word's vector; undefined for a word that has none.
 */
export function evaluateWordSimilarity(
  pairs: readonly WordPair[],
  vectorOf: (word: string) => ArrayLike<number> | undefined,
): WordSimilarity {
  const cosines: number[] = [];
  const scores: number[] = [];
  for (const { first, second, score } of pairs) {
    const [a, b] = [vectorOf(first), vectorOf(second)];
    if (a === undefined || b === undefined) continue;
    cosines.push(cosine(a, b));
    scores.push(score);
  }
  return {
    correlation: spearmanCorrelation(cosines, scores),
    covered: scores.length,
    pairs: pairs.length,
    coverage: scores.length / Math.max(1, pairs.length),
  };
}

/** 0 where either vector is zero. */
function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    squaresA += a[i]! * a[i]!;
    squaresB += b[i]! * b[i]!;
  }
  const norm = Math.sqrt(squaresA * squaresB);
  return norm > 0 ? product / norm : 0;
}

/** The rows of an embedding table, in the order of `ids`. O(ids · width). */
export async function readEmbeddings(table: RowTable, ids: Int32Array): Promise<Float64Array[]> {
  using indices = table.backend.createIndices(ids.length);
  using rows = table.backend.createMatrix(ids.length, table.columns);
  writeIndices(ids, indices);
  gatherRows(table, indices, rows);
  const values = Float64Array.from(await read(rows));
  return Array.from(ids, (_, i) => values.subarray(i * table.columns, (i + 1) * table.columns));
}

/** The vectors of classes, in the order of `ids`. O(ids · d²) for the factored layer, one call per id. */
export async function readClassVectors(layer: OutputLayer, ids: Int32Array): Promise<Float64Array[]> {
  using vector = layer.backend.createMatrix(1, layer.features);
  const vectors: Float64Array[] = [];
  for (const id of ids) {
    layer.classVectors(id, vector);
    vectors.push(Float64Array.from(await read(vector)));
  }
  return vectors;
}

/**
 * Spearman's ρ: the correlation of the ranks, with tied ranks averaged. NaN where either side is constant or there are
 * fewer than two.
 * @throws ModelError `shape` when the lengths differ, `bad-option` when a value is NaN.
 */
export function spearmanCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length)
    throw new ModelError(
      'shape',
      `spearmanCorrelation: ${a.length} and ${b.length} values; as many on both sides are needed`,
    );
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) || Number.isNaN(b[i]))
      throw new ModelError('bad-option', `spearmanCorrelation: value ${i} is ${a[i]!} and ${b[i]!}; NaN has no rank`);
  }
  return pearson(averageRanks(a), averageRanks(b));
}

function pearson(a: Float64Array, b: Float64Array): number {
  // The mean of ranks is known exactly, so the sums have no rounding error from subtracting it.
  const middle = (a.length + 1) / 2;
  let products = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]! - middle;
    const y = b[i]! - middle;
    products += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  return products / Math.sqrt(squaresA * squaresB);
}

/** Ranks from 1 on; equal values have the mean of their ranks. O(n log n). */
function averageRanks(values: ArrayLike<number>): Float64Array {
  const order = Int32Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let first = 0; first < order.length;) {
    let end = first + 1;
    while (end < order.length && values[order[end]!] === values[order[first]!]) end++;
    for (let place = first; place < end; place++) ranks[order[place]!] = (first + 1 + end) / 2;
    first = end;
  }
  return ranks;
}
