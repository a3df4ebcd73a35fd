/**
 * The reference for the factored layer, as simple as possible: W is stored, all D outputs are computed, the gradient is
 * m×D, and everything is f64 loops. The losses' gradients are written by hand from the papers' formulas
 * (arXiv:1511.05042, arXiv:1604.08859), so that they are independent of the expressions and the tape under test.
 */
import type { CsrRows } from '@vastmax/sparse-data';
import type { DensePreconditioner } from './dense-preconditioner.ts';

/** A loss and its constants, as the dense reference computes it. */
export type ReferenceLoss =
  | { readonly name: 'squared-error'; readonly targetValue: number }
  | { readonly name: 'spherical-softmax'; readonly epsilon: number }
  | { readonly name: 'taylor-softmax' }
  | { readonly name: 'z-loss'; readonly a: number; readonly b: number }
  | { readonly name: 'implicit'; readonly unobservedWeight: number }
  | { readonly name: 'rg2'; readonly pull: number }
  | { readonly name: 'rgx'; readonly pull: number; readonly interaction: number };

/** Losses and hidden gradient of a step of the reference. */
export interface DenseStep {
  /** m. */
  readonly losses: Float64Array;
  /** m×d. */
  readonly hiddenGradient: Float64Array;
}

/** Loss of one example and, into `gradient` (D long), its derivative with respect to the outputs. */
export function denseLoss(
  loss: ReferenceLoss,
  outputs: Float64Array,
  targets: ReadonlyMap<number, number>,
  gradient: Float64Array,
): number {
  const classes = outputs.length;
  let q = 0;
  let s = 0;
  let totalWeight = 0;
  for (let k = 0; k < classes; k++) {
    q += outputs[k]! ** 2;
    s += outputs[k]!;
  }
  for (const weight of targets.values()) totalWeight += weight;
  let value = 0;
  gradient.fill(0);
  switch (loss.name) {
    case 'squared-error':
      for (let k = 0; k < classes; k++) {
        const difference = outputs[k]! - loss.targetValue * (targets.get(k) ?? 0);
        value += difference ** 2;
        gradient[k] = 2 * difference;
      }
      return value;
    case 'spherical-softmax': {
      const partition = q + classes * loss.epsilon;
      for (let k = 0; k < classes; k++) gradient[k] = (2 * totalWeight * outputs[k]!) / partition;
      for (const [k, weight] of targets) {
        const numerator = outputs[k]! ** 2 + loss.epsilon;
        value -= weight * Math.log(numerator / partition);
        gradient[k]! -= (2 * weight * outputs[k]!) / numerator;
      }
      return value;
    }
    case 'taylor-softmax': {
      const partition = classes + s + q / 2;
      for (let k = 0; k < classes; k++) gradient[k] = (totalWeight * (1 + outputs[k]!)) / partition;
      for (const [k, weight] of targets) {
        const numerator = 1 + outputs[k]! + outputs[k]! ** 2 / 2;
        value -= weight * Math.log(numerator / partition);
        gradient[k]! -= (weight * (1 + outputs[k]!)) / numerator;
      }
      return value;
    }
    case 'z-loss': {
      const mean = s / classes;
      let variance = 0;
      for (let k = 0; k < classes; k++) variance += (outputs[k]! - mean) ** 2 / classes;
      const deviation = Math.sqrt(variance);
      for (const [c, weight] of targets) {
        const z = (outputs[c]! - mean) / deviation;
        const argument = loss.a * (loss.b - z);
        value +=
          (weight / loss.a) *
          (argument > 0 ? argument + Math.log1p(Math.exp(-argument)) : Math.log1p(Math.exp(argument)));
        const p = weight / (1 + Math.exp(-argument));
        // ∂z_c/∂o_k = (δ_kc − 1/D)/σ − z_c (o_k − μ)/(Dσ²)
        for (let k = 0; k < classes; k++) {
          const deviationOfK = (outputs[k]! - mean) / deviation;
          gradient[k]! -= (p / deviation) * ((k === c ? 1 : 0) - 1 / classes - (z * deviationOfK) / classes);
        }
      }
      return value;
    }
    case 'implicit':
      value = loss.unobservedWeight * q;
      for (let k = 0; k < classes; k++) gradient[k] = 2 * loss.unobservedWeight * outputs[k]!;
      for (const [c, weight] of targets) {
        value += weight * (outputs[c]! - 1) ** 2;
        gradient[c]! += 2 * weight * (outputs[c]! - 1);
      }
      return value;
    case 'rg2':
    case 'rgx': {
      const share = loss.name === 'rg2' ? 1 : 1 - loss.interaction;
      value = (totalWeight * (share * q + 2 * s)) / (4 * classes);
      for (let k = 0; k < classes; k++) gradient[k] = (totalWeight * (share * outputs[k]! + 1)) / (2 * classes);
      for (const [c, weight] of targets) {
        const o = outputs[c]!;
        value += weight * ((loss.pull / 2) * o ** 2 - (0.5 + loss.pull) * o);
        gradient[c]! += weight * (loss.pull * o - 0.5 - loss.pull);
      }
      return value;
    }
  }
}

/** Dense stochastic gradient descent on W alone, D×d, in f64. */
export class DenseReference {
  readonly weights: Float64Array;
  readonly width: number;
  readonly classes: number;
  readonly #loss: ReferenceLoss;

  constructor(weights: Float64Array, width: number, loss: ReferenceLoss) {
    this.weights = weights;
    this.width = width;
    this.classes = weights.length / width;
    this.#loss = loss;
  }

  /**
   * One step: W ← (1 − ηλ)(W − η ∂L/∂W P) for L the mean (or sum) of the weighted losses, P = I without a
   * preconditioner.
   * @param hidden m×d.
   */
  step(
    hidden: ArrayLike<number>,
    targets: CsrRows,
    learningRate: number,
    options: {
      readonly weightDecay?: number;
      readonly exampleWeights?: ArrayLike<number>;
      readonly reduction?: 'mean' | 'sum';
      readonly preconditioner?: DensePreconditioner | undefined;
    } = {},
  ): DenseStep {
    const { weightDecay = 0, exampleWeights, reduction = 'mean', preconditioner } = options;
    const { classes, width, weights } = this;
    const m = targets.rows;
    const losses = new Float64Array(m);
    const hiddenGradient = new Float64Array(m * width);
    const gradients: Float64Array[] = [];
    for (let j = 0; j < m; j++) {
      const outputs = new Float64Array(classes);
      for (let k = 0; k < classes; k++) {
        let sum = 0;
        for (let i = 0; i < width; i++) sum += weights[k * width + i]! * hidden[j * width + i]!;
        outputs[k] = sum;
      }
      const merged = new Map<number, number>();
      for (let entry = targets.offsets[j]!; entry < targets.offsets[j + 1]!; entry++) {
        const target = targets.indices[entry]!;
        merged.set(target, (merged.get(target) ?? 0) + (targets.values?.[entry] ?? 1));
      }
      const gradient = new Float64Array(classes);
      losses[j] = denseLoss(this.#loss, outputs, merged, gradient);
      const factor = (exampleWeights?.[j] ?? 1) * (reduction === 'mean' ? 1 / m : 1);
      for (let k = 0; k < classes; k++) gradient[k]! *= factor;
      for (let k = 0; k < classes; k++) {
        for (let i = 0; i < width; i++) hiddenGradient[j * width + i]! += gradient[k]! * weights[k * width + i]!;
      }
      gradients.push(gradient);
    }
    preconditioner?.begin();
    const inputs = preconditioner?.apply(hidden) ?? hidden;
    preconditioner?.end(hidden);
    for (let j = 0; j < m; j++) {
      const gradient = gradients[j]!;
      for (let k = 0; k < classes; k++) {
        const change = learningRate * gradient[k]!;
        for (let i = 0; i < width; i++) weights[k * width + i]! -= change * inputs[j * width + i]!;
      }
    }
    const decay = 1 - learningRate * weightDecay;
    if (decay !== 1) for (let i = 0; i < weights.length; i++) weights[i]! *= decay;
    return { losses, hiddenGradient };
  }
}
