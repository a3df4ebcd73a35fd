/** ε_c = T·π_c^p / Σ π^p over the T tail classes: a prior for each, 1 on average. A class that never occurred counts as half an occurrence. */
export function tailPrior(frequencies: ArrayLike<number>, headSize: number, power: number): Float64Array {
  const prior = new Float64Array(frequencies.length - headSize);
  let sum = 0;
  for (let i = 0; i < prior.length; i++) sum += prior[i] = Math.max(0.5, frequencies[headSize + i]!) ** power;
  for (let i = 0; i < prior.length; i++) prior[i] = (prior[i]! * prior.length) / sum;
  return prior;
}

/** The log of the unigram probability of each head class, and of the tail as a whole, to start the head's biases from. */
export function headBiases(frequencies: ArrayLike<number>, headSize: number): Float64Array {
  const counts = new Float64Array(headSize + 1);
  let total = 0;
  for (let i = 0; i < frequencies.length; i++) {
    const count = Math.max(0.5, frequencies[i]!);
    counts[Math.min(i, headSize)]! += count;
    total += count;
  }
  return counts.map((count) => Math.log(count / total));
}
