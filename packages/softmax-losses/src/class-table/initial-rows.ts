import { OutputLayerError } from '@vastmax/output-layer';
import { RandomGenerator } from '@vastmax/sparse-data';

export interface InitialRows {
  /** Standard deviation of the normal start of the weights; 0.01 unless given. Biases start at 0. */
  readonly initialScale?: number;
  /** Seed of that start; 1 unless given. */
  readonly seed?: number;
  /** One bias for each row to start from, the log of the unigram probability say. */
  readonly initialBiases?: ArrayLike<number>;
}

/**
 * Rows asked for block after block from the first; the array is reused.
 * @throws OutputLayerError `non-finite` for an initial bias.
 */
export function createInitialRows(
  { initialScale = 0.01, seed = 1, initialBiases }: InitialRows,
  features: number,
  bias: boolean,
): (first: number, count: number) => Float64Array {
  const random = new RandomGenerator(seed);
  const width = features + (bias ? 1 : 0);
  let block = new Float64Array(0);
  return (first, count) => {
    if (block.length < count * width) block = new Float64Array(count * width);
    for (let row = 0, i = 0; row < count; row++) {
      for (let feature = 0; feature < features; feature++)
        block[i++] = initialScale === 0 ? 0 : initialScale * random.normal();
      if (!bias) continue;
      const start = initialBiases === undefined ? 0 : initialBiases[first + row]!;
      if (!Number.isFinite(start)) {
        throw new OutputLayerError(
          'non-finite',
          `the initial bias of class ${first + row} is ${start}, it must be finite`,
        );
      }
      block[i++] = start;
    }
    return block.subarray(0, count * width);
  };
}
