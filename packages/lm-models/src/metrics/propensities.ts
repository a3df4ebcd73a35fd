export interface PropensityOptions {
  /** 0.55 unless given; Jain et al. take 0.5 for Wikipedia and 0.6 for Amazon. */
  readonly a?: number;
  /** 1.5 unless given; 0.4 for Wikipedia, 2.6 for Amazon. */
  readonly b?: number;
}

/**
 * How likely a class that is right is to have been labelled so, as a function of how often it was:
 * p_l = 1 / (1 + C·e^(−a·ln(N_l + b))), C = (ln N − 1)(b + 1)^a (H. Jain, Y. Prabhu, M. Varma, KDD 2016, §4). O(D).
 * @param labelCounts N_l, in how many training examples each class occurs.
 * @param examples N.
 * @throws RangeError for fewer than three examples, where C is not positive.
 */
export function computePropensities(
  labelCounts: ArrayLike<number>,
  examples: number,
  options: PropensityOptions = {},
): Float64Array {
  const { a = 0.55, b = 1.5 } = options;
  if (!(examples >= 3)) throw new RangeError(`propensities: ${examples} examples; at least 3 are needed`);
  if (!(a > 0) || !(b >= 0))
    throw new RangeError(`propensities: a must be above 0 and b at least 0, got ${a} and ${b}`);
  const c = (Math.log(examples) - 1) * (b + 1) ** a;
  return Float64Array.from(labelCounts, (count) => 1 / (1 + c * Math.exp(-a * Math.log(count + b))));
}
