/**
 * ε_c = T·π_c^p / Σ π^p over the T classes of a tail: a prior for each, 1 on average. A class that never occurred
 * counts as half an occurrence.
 */
export function tailPrior(frequencies: ArrayLike<number>, start: number, end: number, power: number): Float64Array {
  const prior = new Float64Array(end - start);
  let sum = 0;
  for (let i = 0; i < prior.length; i++) sum += prior[i] = Math.max(0.5, frequencies[start + i]!) ** power;
  for (let i = 0; i < prior.length; i++) prior[i] = (prior[i]! * prior.length) / sum;
  return prior;
}

/**
 * The log of the unigram probability of each head class, and of each tail as a whole, to start the head's biases from.
 * @param starts the first class of each tail, and D.
 */
export function headBiases(frequencies: ArrayLike<number>, starts: readonly number[]): Float64Array {
  const headSize = starts[0]!;
  const counts = new Float64Array(headSize + starts.length - 1);
  let total = 0;
  for (let i = 0, tail = -1; i < frequencies.length; i++) {
    if (i === starts[tail + 1]) tail++;
    const count = Math.max(0.5, frequencies[i]!);
    counts[tail < 0 ? i : headSize + tail]! += count;
    total += count;
  }
  return counts.map((count) => Math.log(count / total));
}
