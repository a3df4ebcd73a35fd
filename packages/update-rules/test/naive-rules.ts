/** The update rules for one number at a time, written out from the papers and sharing nothing with the package. */

export interface NaiveWeight {
  value: number;
  /** Velocity, sum of squares, or first moment. */
  first: number;
  /** Second moment. */
  second: number;
}

export type NaiveRule = (weight: NaiveWeight, gradient: number, rate: number, step: number) => void;

export const naiveRules: Readonly<Record<string, NaiveRule>> = {
  sgd: (weight, gradient, rate) => {
    weight.value -= rate * gradient;
  },
  momentum: (weight, gradient, rate) => {
    weight.first = 0.9 * weight.first + gradient;
    weight.value -= rate * weight.first;
  },
  adagrad: (weight, gradient, rate) => {
    weight.first += gradient ** 2;
    weight.value -= (rate * gradient) / (Math.sqrt(weight.first) + 1e-8);
  },
  // arXiv:1412.6980, algorithm 1, line by line.
  adam: (weight, gradient, rate, step) => {
    weight.first = 0.9 * weight.first + (1 - 0.9) * gradient;
    weight.second = 0.999 * weight.second + (1 - 0.999) * gradient ** 2;
    const mean = weight.first / (1 - 0.9 ** step);
    const square = weight.second / (1 - 0.999 ** step);
    weight.value -= (rate * mean) / (Math.sqrt(square) + 1e-8);
  },
};

export function naiveWeights(values: ArrayLike<number>): NaiveWeight[] {
  return Array.from(values, (value) => ({ value, first: 0, second: 0 }));
}

/** Rows `indices` with their gradients, repetitions added up, into the weights of a table of `columns` columns. */
export function naiveTableStep(
  rule: NaiveRule,
  weights: readonly NaiveWeight[],
  columns: number,
  touches: readonly { readonly indices: ArrayLike<number>; readonly rows: ArrayLike<number> }[],
  rate: number,
  step: number,
): void {
  const sums = new Map<number, number[]>();
  for (const { indices, rows } of touches) {
    for (let i = 0; i < indices.length; i++) {
      const sum = sums.get(indices[i]!) ?? Array.from({ length: columns }, () => 0);
      for (let column = 0; column < columns; column++) sum[column]! += rows[i * columns + column]!;
      sums.set(indices[i]!, sum);
    }
  }
  for (const [row, sum] of sums) {
    for (let column = 0; column < columns; column++) rule(weights[row * columns + column]!, sum[column]!, rate, step);
  }
}
