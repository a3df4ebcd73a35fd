/** Ranks from 1 on; equal values share the mean of theirs. O(n log n). */
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

/**
 * Spearman's ρ: the correlation of the ranks, with tied ranks averaged. NaN where either side is constant or there are
 * fewer than two.
 * @throws RangeError when the lengths differ or a value is NaN.
 */
export function spearmanCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length)
    throw new RangeError(`spearmanCorrelation: ${a.length} and ${b.length} values; as many on both sides are needed`);
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) || Number.isNaN(b[i]))
      throw new RangeError(`spearmanCorrelation: value ${i} is ${a[i]!} and ${b[i]!}; NaN has no rank`);
  }
  return pearson(averageRanks(a), averageRanks(b));
}

function pearson(a: Float64Array, b: Float64Array): number {
  // The mean of ranks is known and exact, so the sums lose nothing.
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
