import { RandomGenerator } from '@vastmax/sparse-data';

/** Rows of a seeded normal start, asked for block after block from the first; the array is reused. */
export function createNormalRows(width: number, scale = 0.01, seed = 1): (first: number, count: number) => Float64Array {
  const random = new RandomGenerator(seed);
  let block = new Float64Array(0);
  return (_first, count) => {
    const length = count * width;
    if (block.length < length) block = new Float64Array(length);
    for (let i = 0; i < length; i++) block[i] = scale * random.normal();
    return block.subarray(0, length);
  };
}
