/**
 * The bias of a sampled softmax's gradient, told apart from its variance. For a query h with logits o_i = τ hᵀc_i and
 * target t the exact gradient with respect to the logits is softmax(o) − e_t, with respect to h it is τ Σ_i (…)_i c_i.
 * The sampled one has the target's plain logit and, for n draws, o_i − ln(n P(i)), draws of the target masked. Its mean
 * over repetitions still holds noise, and the square of a noisy mean is too large; the scalar product of the errors of
 * two halves that share no draws is not:
 *
 *     E⟨mean_A − g, mean_B − g⟩ = ‖E ĝ − g‖²        relative bias = √(Σ_queries ⟨…⟩ / Σ_queries ‖g‖²)
 */
import type { Proposal } from '@vastmax/softmax-losses';
import { RandomGenerator } from '@vastmax/sparse-data';

/** Class vectors and held-out queries, all of length 1, and what they were trained to. */
export interface TrainedClasses {
  readonly classes: number;
  /** d. */
  readonly width: number;
  /** τ. */
  readonly temperature: number;
  /** D×d. */
  readonly vectors: Float32Array;
  readonly queryCount: number;
  /** queryCount×d. */
  readonly queries: Float32Array;
  readonly targets: Int32Array;
  /** How often each class is in the training text. */
  readonly counts: Float64Array;
}

/**
 * `softmax` draws from the softmax itself: what is left then is the bias of the form of the estimate, and the method's
 * noise.
 */
export type SampledProposal = Proposal | 'softmax';

export interface BiasEstimate {
  /** ‖E ĝ − g‖/‖g‖ with respect to the hidden vector h; 0 where the estimate of its square came out negative. */
  readonly relativeBias: number;
  /** Its standard error, from the spread over the queries. */
  readonly standardError: number;
  /** The same as relativeBias with respect to the logits. */
  readonly relativeLogitBias: number;
  /** √(E‖ĝ − g‖²)/‖g‖ with respect to the hidden vector: bias and spread of a single estimate. */
  readonly relativeError: number;
}

export interface EstimateOptions {
  /** n. */
  readonly samples: number;
  /** Independent estimates for each query; even. */
  readonly repetitions: number;
  readonly seed: number;
}

/** Single estimates of each query whose own error is computed. */
const checkedRepetitions = 8;

/** queries·repetitions·n draws, and O(queries·D·d) besides. */
export function estimateBias(
  trained: TrainedClasses,
  proposal: SampledProposal,
  options: EstimateOptions,
): BiasEstimate {
  const { classes, queryCount, targets } = trained;
  const { samples, repetitions, seed } = options;
  const random = new RandomGenerator(seed);
  const softmax = new Float64Array(classes);
  const logits = new Float64Array(classes);
  const halves = [new Float64Array(classes), new Float64Array(classes)] as const;
  const draws = new QueryDraws(trained, samples * repetitions);
  const checked = Math.min(checkedRepetitions, repetitions);
  const single = new Float64Array(classes);
  const products: number[] = [];
  let logitProduct = 0;
  let hiddenNorm = 0;
  let logitNorm = 0;
  let squaredError = 0;
  for (let query = 0; query < queryCount; query++) {
    const target = targets[query]!;
    computeSoftmax(trained, query, logits, softmax);
    draws.draw(proposal, query, softmax, random);
    for (const half of halves) half.fill(0);
    softmax[target]! -= 1;
    const exact = toHidden(trained, softmax);
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const first = repetition * samples;
      addEstimate(logits, target, draws, first, samples, 2 / repetitions, halves[repetition % 2]!);
      if (repetition >= checked) continue;
      single.fill(0);
      addEstimate(logits, target, draws, first, samples, 1, single);
      const hidden = toHidden(trained, single);
      squaredError += productOfErrors(hidden, hidden, exact) / checked;
    }
    products.push(productOfErrors(toHidden(trained, halves[0]), toHidden(trained, halves[1]), exact));
    logitProduct += productOfErrors(halves[0], halves[1], softmax);
    hiddenNorm += squaredNorm(exact);
    logitNorm += squaredNorm(softmax);
  }
  const square = products.reduce((sum, product) => sum + product, 0);
  const spread = Math.sqrt(products.reduce((sum, product) => sum + (product - square / queryCount) ** 2, 0));
  const relativeBias = Math.sqrt(Math.max(0, square / hiddenNorm));
  return {
    relativeBias,
    // The spread is that of the square. Of a bias about 0 its root is the most that could be hidden.
    standardError: Math.min(
      Math.sqrt(spread / hiddenNorm),
      relativeBias === 0 ? Infinity : spread / hiddenNorm / (2 * relativeBias),
    ),
    relativeLogitBias: Math.sqrt(Math.max(0, logitProduct / logitNorm)),
    relativeError: Math.sqrt(squaredError / hiddenNorm),
  };
}

/** All draws for one query at once, the repetitions one after the other. */
class QueryDraws {
  readonly classes: Int32Array;
  readonly logProbabilities: Float64Array;
  readonly #trained: TrainedClasses;
  readonly #cumulative: Float64Array;

  constructor(trained: TrainedClasses, count: number) {
    this.classes = new Int32Array(count);
    this.logProbabilities = new Float64Array(count);
    this.#trained = trained;
    this.#cumulative = new Float64Array(trained.classes);
  }

  draw(proposal: SampledProposal, query: number, softmax: Float64Array, random: RandomGenerator): void {
    const { classes, logProbabilities } = this;
    const { queries, width } = this.#trained;
    if (proposal === 'softmax') {
      this.#drawFromSoftmax(softmax, random);
    } else if (proposal.kind === 'query') {
      proposal.draw(
        queries.subarray(query * width, (query + 1) * width),
        1,
        classes.length,
        random,
        classes,
        logProbabilities,
      );
    } else {
      proposal.draw(classes.length, random, classes, 0);
      for (let i = 0; i < classes.length; i++) logProbabilities[i] = proposal.logProbability(classes[i]!);
    }
  }

  #drawFromSoftmax(softmax: Float64Array, random: RandomGenerator): void {
    const cumulative = this.#cumulative;
    let sum = 0;
    for (let i = 0; i < softmax.length; i++) {
      sum += softmax[i]!;
      cumulative[i] = sum;
    }
    for (let i = 0; i < this.classes.length; i++) {
      const point = sum * random.uniform();
      let low = 0;
      for (let high = softmax.length - 1; low < high;) {
        const middle = (low + high) >>> 1;
        if (cumulative[middle]! > point) high = middle;
        else low = middle + 1;
      }
      this.classes[i] = low;
      this.logProbabilities[i] = Math.log(softmax[low]!);
    }
  }
}

/** out += scale·(the sampled gradient with respect to the logits) from draws `first` … `first + samples − 1`. */
function addEstimate(
  logits: Float64Array,
  target: number,
  { classes, logProbabilities }: QueryDraws,
  first: number,
  samples: number,
  scale: number,
  out: Float64Array,
): void {
  const logSamples = Math.log(samples);
  // The logits are at most τ, so nothing overflows unless P is absurdly small.
  const own = Math.exp(logits[target]!);
  let total = own;
  for (let i = first; i < first + samples; i++) {
    if (classes[i] !== target) total += Math.exp(logits[classes[i]!]! - logSamples - logProbabilities[i]!);
  }
  out[target] = out[target]! + scale * (own / total - 1);
  for (let i = first; i < first + samples; i++) {
    const drawn = classes[i]!;
    if (drawn !== target)
      out[drawn] = out[drawn]! + (scale * Math.exp(logits[drawn]! - logSamples - logProbabilities[i]!)) / total;
  }
}

function computeSoftmax(
  { classes, width, temperature, vectors, queries }: TrainedClasses,
  query: number,
  logits: Float64Array,
  out: Float64Array,
): void {
  let sum = 0;
  for (let row = 0, at = 0; row < classes; row++) {
    let product = 0;
    for (let i = query * width; i < (query + 1) * width; i++, at++) product += queries[i]! * vectors[at]!;
    logits[row] = temperature * product;
    out[row] = Math.exp(logits[row]!);
    sum += out[row]!;
  }
  for (let row = 0; row < classes; row++) out[row] = out[row]! / sum;
}

/** τ Σ_i g_i c_i. */
function toHidden({ classes, width, temperature, vectors }: TrainedClasses, logitGradient: Float64Array): Float64Array {
  const hidden = new Float64Array(width);
  for (let row = 0; row < classes; row++) {
    const factor = temperature * logitGradient[row]!;
    if (factor === 0) continue;
    for (let i = 0; i < width; i++) hidden[i] = hidden[i]! + factor * vectors[row * width + i]!;
  }
  return hidden;
}

function productOfErrors(a: Float64Array, b: Float64Array, exact: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < exact.length; i++) sum += (a[i]! - exact[i]!) * (b[i]! - exact[i]!);
  return sum;
}

function squaredNorm(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
