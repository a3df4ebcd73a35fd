/** The update rules with moments for one number, in f64, from their formulas. */
import type { MomentUpdate } from '@vastmax/linalg-core';

export interface UpdatedNumber {
  /** The weight and its moments. */
  readonly values: readonly number[];
  /** For the tolerance of each: absolute values of what its formula adds up. Above 0. */
  readonly magnitudes: readonly number[];
}

/** @param old the weight and its moments. */
export function naiveUpdate(update: MomentUpdate, old: readonly number[], gradient: number): UpdatedNumber {
  const [weight = 0, first = 0, second = 0] = old;
  const { learningRate } = update;
  const smallest = Number.MIN_VALUE;
  if (update.rule === 'momentum') {
    const velocity = update.momentum * first + gradient;
    const magnitude = Math.abs(first) + Math.abs(gradient) + smallest;
    const step = learningRate * velocity;
    return {
      values: [weight - step, velocity],
      magnitudes: [Math.abs(weight) + learningRate * magnitude + smallest, magnitude],
    };
  }
  if (update.rule === 'adagrad') {
    const squares = first + gradient ** 2;
    const step = (learningRate * gradient) / (Math.sqrt(squares) + update.epsilon);
    return { values: [weight - step, squares], magnitudes: [Math.abs(weight) + Math.abs(step) + smallest, squares] };
  }
  const { beta1, beta2, epsilon, step: t } = update;
  const mean = beta1 * first + (1 - beta1) * gradient;
  const squares = beta2 * second + (1 - beta2) * gradient ** 2;
  const rate = learningRate / (1 - beta1 ** t) / (Math.sqrt(squares / (1 - beta2 ** t)) + epsilon);
  const meanMagnitude = Math.abs(first) + Math.abs(gradient) + smallest;
  return {
    values: [weight - rate * mean, mean, squares],
    magnitudes: [Math.abs(weight) + rate * meanMagnitude, meanMagnitude, second + gradient ** 2 + smallest],
  };
}
