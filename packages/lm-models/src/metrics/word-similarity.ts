/**
 * Word vectors against human judgements: the rank correlation of cosines with scores, over the pairs whose words have
 * vectors.
 */
import { SparseDataError, type TextLines } from '@vastmax/sparse-data';
import { parseCsv } from '@vastmax/sparse-data/records';
import { spearmanCorrelation } from './rank-correlation.ts';

export interface WordPair {
  readonly first: string;
  readonly second: string;
  /** A person's, the higher the more alike. */
  readonly score: number;
}

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
