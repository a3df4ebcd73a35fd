/**
 * Softmax layers as naively as they can be said, in f64 on the host, sharing nothing with the package. What a class's
 * probability is made of is a list of decisions, each a softmax over some rows of which one is chosen, or a sigmoid
 * with a sign, possibly behind a projection.
 */
import type { StepOptions } from '@vastmax/output-layer';
import type { DenseTwin } from '@vastmax/output-layer/suite';
import type { CsrRows } from '@vastmax/sparse-data';

export interface Decision {
  /** Where each of the rows begins in the weights. */
  readonly rows: readonly number[];
  /** Which of them is chosen; for a sigmoid its one row is taken with this sign. */
  readonly chosen: number;
  readonly sign?: 1 | -1;
  /**
   * outputs×inputs numbers from `at` on; the rows are then as wide as the outputs. Inputs past the last, the bias, are
   * not projected.
   */
  readonly projection?: { readonly at: number; readonly outputs: number; readonly inputs: number };
}

export interface NaiveModel {
  /** Whether hidden gets a constant 1 appended; also what projections and rows multiply. */
  readonly bias: boolean;
  /** The decisions of a class; extra `share`d decisions of label smoothing go by weight. */
  decisions(target: number): readonly Decision[];
}

interface Gradients {
  readonly hidden: Float64Array;
  readonly weights: Float64Array;
}

/** −log p of the decisions; adds scale·gradient where gradients are given. */
function surprisal(
  decision: Decision,
  weights: Float64Array,
  hidden: Float64Array,
  scale: number,
  gradients?: Gradients,
): number {
  const { rows, chosen, sign, projection } = decision;
  const n = projection?.inputs ?? hidden.length;
  const input = projection === undefined ? hidden : new Float64Array(projection.outputs);
  if (projection !== undefined) {
    for (let o = 0; o < projection.outputs; o++) {
      for (let i = 0; i < n; i++) input[o]! += weights[projection.at + o * n + i]! * hidden[i]!;
    }
  }
  const logits = rows.map((at) => input.reduce((sum, value, i) => sum + weights[at + i]! * value, 0));
  let loss: number;
  let slopes: number[];
  if (sign !== undefined) {
    const x = sign * logits[0]!;
    loss = Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    slopes = [-sign / (1 + Math.exp(x))];
  } else {
    const largest = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    loss = largest + Math.log(total) - logits[chosen]!;
    slopes = logits.map((logit, k) => Math.exp(logit - largest) / total - (k === chosen ? 1 : 0));
  }
  if (gradients === undefined) return loss;
  const inputGradient = new Float64Array(input.length);
  rows.forEach((at, k) => {
    for (let i = 0; i < input.length; i++) {
      gradients.weights[at + i]! += scale * slopes[k]! * input[i]!;
      inputGradient[i]! += scale * slopes[k]! * weights[at + i]!;
    }
  });
  for (let i = 0; i < n; i++) {
    if (projection === undefined) gradients.hidden[i]! += inputGradient[i]!;
    else {
      for (let o = 0; o < projection.outputs; o++) {
        gradients.weights[projection.at + o * n + i]! += inputGradient[o]! * hidden[i]!;
        gradients.hidden[i]! += inputGradient[o]! * weights[projection.at + o * n + i]!;
      }
    }
  }
  return loss;
}

export class NaiveTwin implements DenseTwin {
  weights: Float64Array;
  readonly #model: NaiveModel;
  readonly #features: number;

  constructor(weights: Float64Array, model: NaiveModel, features: number) {
    this.weights = weights;
    this.#model = model;
    this.#features = features;
  }

  /** log p of one class. @param hidden of one example, without the bias feature. */
  logProbability(hidden: ArrayLike<number>, target: number): number {
    return this.#model
      .decisions(target)
      .reduce((sum, decision) => sum - surprisal(decision, this.weights, this.#extended(hidden), 0), 0);
  }

  step(
    hidden: Float64Array,
    targets: CsrRows,
    { learningRate, exampleWeights }: StepOptions,
  ): { losses: Float64Array; hiddenGradient: Float64Array } {
    const m = targets.rows;
    const losses = new Float64Array(m);
    const hiddenGradient = new Float64Array(hidden.length);
    const change = new Float64Array(this.weights.length);
    for (let j = 0; j < m; j++) {
      const own = this.#extended(hidden.subarray(j * this.#features, (j + 1) * this.#features));
      const gradients = { hidden: new Float64Array(own.length), weights: change };
      for (let entry = targets.offsets[j]!; entry < targets.offsets[j + 1]!; entry++) {
        const weight = targets.values?.[entry] ?? 1;
        const scale = (weight * (exampleWeights?.[j] ?? 1)) / m;
        for (const decision of this.#model.decisions(targets.indices[entry]!)) {
          losses[j]! += weight * surprisal(decision, this.weights, own, scale, gradients);
        }
      }
      hiddenGradient.set(gradients.hidden.subarray(0, this.#features), j * this.#features);
    }
    this.weights = this.weights.map((weight, i) => weight - learningRate * change[i]!);
    return { losses, hiddenGradient };
  }

  #extended(hidden: ArrayLike<number>): Float64Array {
    return Float64Array.from([...Array.from(hidden), ...(this.#model.bias ? [1] : [])]);
  }
}
