/**
 * Chooses where the head ends and each tail begins. The search minimises the cost of a step on 128 examples, as in
 * arXiv:1609.04309 §4: a part costs something for each example with a target in it, and something for its rows if there
 * is at least one such example. Candidates lie on a logarithmic scale. By cost alone the shortlist would be very small
 * (16 of 100,000 classes), and nearly every target would be scored with a quarter of the features or fewer. Therefore
 * the shortlist must cover two thirds of all occurrences: about 1,800 of 100,000 classes under Zipf's law, close to
 * what the paper used.
 */
import { OutputLayerError } from '@vastmax/output-layer';

/** The sizes for which `balancedCutoffs` chooses the cheapest cutoffs. */
export interface BalancedCutoffsOptions {
  readonly classes: number;
  readonly features: number;
  /** Factor by which each tail has fewer features than the part before it; default 4. */
  readonly divValue?: number;
  /** Largest number of tails; default 3. */
  readonly tails?: number;
  /** How often each class occurs, in descending order; default Zipf's law, 1/(k + 1). */
  readonly frequencies?: ArrayLike<number>;
}

const examples = 128;
/**
 * Cost in arithmetic operations of equal time: of gathering, changing and storing one weight, and of the exponential
 * and other functions of one output.
 */
const operationsPerWeight = 30;
const operationsPerOutput = 40;
const candidatesPerDecade = 8;
const minHeadShare = 2 / 3;

/**
 * Ascending class counts at which parts end, all below D: the cheapest cutoffs, by operation count, whose shortlist
 * covers two thirds of the occurrences. Cost: O(D) plus a search over a few thousand candidates.
 */
export function balancedCutoffs(options: BalancedCutoffsOptions): number[] {
  const { classes, features, divValue = 4, tails = 3, frequencies } = options;
  const candidates = candidatesBelow(classes);
  const mass = massAt([...candidates, classes], frequencies);
  const massOf = (count: number): number => mass.get(count) ?? 0;
  const partCost = (from: number, to: number, width: number, share: number): number => {
    const reached = examples * share;
    const isTouched = 1 - (1 - share) ** examples;
    return (to - from) * (width * (8 * reached + operationsPerWeight * isTouched) + operationsPerOutput * reached);
  };
  let best: number[] = [Math.max(1, classes - 1)];
  let bestCost = Infinity;
  const extend = (cutoffs: readonly number[], cost: number): void => {
    const last = cutoffs.at(-1) ?? 0;
    const share = (to: number): number => (massOf(to) - massOf(last)) / massOf(classes);
    const width = widthOfTail(features, divValue, cutoffs.length - 1);
    if (cutoffs.length > 0) {
      const whole = cost + partCost(last, classes, width, share(classes));
      if (whole < bestCost) {
        bestCost = whole;
        best = [...cutoffs];
      }
    }
    if (cutoffs.length === tails) return;
    for (const next of candidates) {
      if (next <= last || massOf(next) < minHeadShare * massOf(classes)) continue;
      const own =
        cutoffs.length === 0 ? partCost(0, next + tails, features, 1) : partCost(last, next, width, share(next));
      if (cost + own < bestCost) extend([...cutoffs, next], cost + own);
    }
  };
  if (classes > 1) extend([], 0);
  return best;
}

/** Features of tail i: ⌊d/divValue^(i+1)⌋, at least 1. */
export function widthOfTail(features: number, divValue: number, tail: number): number {
  return Math.max(1, Math.floor(features / divValue ** (tail + 1)));
}

/** @throws OutputLayerError `bad-option` unless the cutoffs are whole, ascending, and from 1 to below D. */
export function checkCutoffs(kind: string, cutoffs: readonly number[], classes: number): void {
  const isAscending = cutoffs.every(
    (cutoff, i) => Number.isSafeInteger(cutoff) && cutoff > (cutoffs[i - 1] ?? 0) && cutoff < classes,
  );
  if (isAscending && cutoffs.length > 0) return;
  throw new OutputLayerError(
    'bad-option',
    `${kind}: cutoffs must be whole numbers from 1 to ${classes - 1} in ascending order, at least one, got [${cutoffs.join(', ')}]`,
  );
}

function candidatesBelow(classes: number): number[] {
  const found = new Set<number>();
  for (let i = 0; ; i++) {
    const candidate = Math.round(10 ** (i / candidatesPerDecade));
    if (candidate >= classes) return [...found];
    found.add(candidate);
  }
}

/** For each of some ascending counts, the sum of the frequencies of so many first classes. */
function massAt(counts: readonly number[], frequencies: ArrayLike<number> | undefined): ReadonlyMap<number, number> {
  const mass = new Map<number, number>();
  let sum = 0;
  let k = 0;
  for (const count of counts) {
    for (; k < count; k++) sum += frequencies === undefined ? 1 / (k + 1) : frequencies[k]!;
    mass.set(count, sum);
  }
  return mass;
}
