/**
 * The sampled losses of one example as naively as they can be said, in f64, from the raw list of draws: nothing merged,
 * nothing masked, no matrices. A number is subtracted where the package reasons in logarithms.
 */
export interface NaiveSampling {
  readonly kind: 'softmax' | 'softmax with corrected targets' | 'nce' | 'negative';
  /** The n classes drawn for the example. */
  readonly drawn: readonly number[];
  /** P of a class. */
  readonly probability: (target: number) => number;
  readonly unique: boolean;
  readonly removeHits: boolean;
  readonly logNormalizer: number;
  /** Classes that are negatives whatever is drawn. */
  readonly head?: readonly number[];
}

/** @param targets weight of each target class. */
export function naiveLoss(
  outputs: ArrayLike<number>,
  targets: ReadonlyMap<number, number>,
  sampling: NaiveSampling,
): number {
  const { kind, drawn, probability, unique, removeHits, logNormalizer, head = [] } = sampling;
  const n = drawn.length;
  const expected = (target: number): number => (head.includes(target) ? 1 : n * probability(target));
  const negatives: { target: number; count: number }[] = [];
  for (const target of head) if (!removeHits || !targets.has(target)) negatives.push({ target, count: 1 });
  for (const target of unique ? new Set(drawn) : drawn) {
    if (head.includes(target) || (removeHits && targets.has(target))) continue;
    const chance = 1 - (1 - probability(target)) ** n;
    negatives.push({ target, count: unique ? expected(target) / chance : 1 });
  }
  let loss = 0;
  if (kind === 'softmax' || kind === 'softmax with corrected targets') {
    const termOf = (target: number): number => Math.exp(outputs[target]!) / (kind === 'softmax' ? 1 : expected(target));
    let partition = 0;
    for (const target of targets.keys()) partition += termOf(target);
    for (const { target, count } of negatives) partition += (count * Math.exp(outputs[target]!)) / expected(target);
    for (const [target, weight] of targets) loss -= weight * Math.log(termOf(target) / partition);
    return loss;
  }
  const odds = (target: number): number =>
    kind === 'negative' ? Math.exp(outputs[target]!) : Math.exp(outputs[target]! - logNormalizer) / expected(target);
  for (const [target, weight] of targets) {
    let ofTarget = -Math.log(odds(target) / (1 + odds(target)));
    for (const negative of negatives) ofTarget += negative.count * Math.log(1 + odds(negative.target));
    loss += weight * ofTarget;
  }
  return loss;
}
