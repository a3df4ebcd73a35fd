/**
 * Parity with PyTorch's AdaptiveLogSoftmaxWithLoss(in_features = 8, n_classes = 20, cutoffs = [5, 12], div_value = 2.0,
 * head_bias = True). The stored values are the log_prob of its source, followed line by line in a Python program that
 * shares nothing with this package, in f64 with exact sums.
 */
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { singleTargets } from '@vastmax/sparse-data';
import { createAdaptiveSoftmaxLayer } from '@vastmax/softmax-losses';
import { describe, expect, it } from 'vitest';

const expected = [
  [
    -1.95694393229341, -2.20688993229341, -2.18041993229341, -1.72718793229341, -2.56772193229341, -5.65727899544323,
    -5.54368688744323, -7.62467497744323, -2.97543027144323, -2.33047093644323, -9.54655042544323, -8.32495946544323,
    -4.61701897665937, -3.03724394465937, -3.03797390465937, -4.70945149265937, -2.77276946465937, -3.39745069665937,
    -5.04082140065937, -4.89387242865937,
  ],
  [
    -2.23042023963927, -2.24896623963927, -1.63780223963927, -2.34502023963927, -1.70233323963927, -4.20962608221399,
    -4.19077363921399, -3.96125982521399, -4.64439751921399, -5.65709666821399, -3.95988910721399, -4.70400602321399,
    -3.64164840833255, -2.37835666933255, -4.25539677933255, -5.51758696533255, -4.49460489933255, -4.70304457833255,
    -4.12285586633255, -2.98200428233255,
  ],
  [
    -3.40836418591206, -5.11143718591206, -1.68465118591206, -5.19006718591206, -1.90120018591206, -8.67438788304306,
    -10.6533120440431, -10.3200413180431, -7.40361509104306, -8.31641442304306, -8.02709581804306, -6.38159584004306,
    -2.21093023822638, -2.50725509022638, -3.39480764622638, -3.04607001222638, -3.65804018622638, -3.40315809022638,
    -2.19875673822638, -1.74221150422638,
  ],
];

/** Numbers of three decimals, the same in every language. */
const numberAt = (k: number): number => Math.round(Math.sin(1 + 3 * k + k * k * 0.7) * 1000) / 1000;

/**
 * The state with its tensors filled one after the other: head with the bias last, projection and classes of each tail.
 */
function filled(state: ModuleState): { readonly state: ModuleState; readonly used: number } {
  let used = 0;
  const tensors = state.tensors.map((tensor) => {
    const start = used;
    used += tensor.rows * tensor.columns;
    return {
      ...tensor,
      read: (first: number, count: number) =>
        Promise.resolve(
          Float64Array.from({ length: count * tensor.columns }, (_, i) => numberAt(start + first * tensor.columns + i)),
        ),
    };
  });
  return { state: { ...state, tensors }, used };
}

describe("PyTorch's adaptive softmax", () => {
  it('has these log probabilities, as losses and as scores', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createAdaptiveSoftmaxLayer(backend, {
      classes: 20,
      features: 8,
      cutoffs: [5, 12],
      divValue: 2,
      headBias: true,
    });
    expect(layer.state().tensors.map(({ rows, columns }) => [rows, columns])).toEqual([
      [7, 9],
      [4, 8],
      [7, 4],
      [2, 8],
      [8, 2],
    ]);
    const { state, used } = filled(layer.state());
    await layer.restore(state);
    using hidden = createMatrixFrom(
      backend,
      3,
      8,
      Float64Array.from({ length: 24 }, (_, i) => numberAt(used + i)),
    );
    using scores = backend.createMatrix(3, 20);
    layer.scores(hidden, 0, scores);
    const scored = await read(scores);
    for (let target = 0; target < 20; target++) {
      const losses = await read(await layer.evaluate(hidden, singleTargets(new Int32Array(3).fill(target), 20)));
      for (let example = 0; example < 3; example++) {
        expect(-losses[example]!).toBeCloseTo(expected[example]![target]!, 12);
        expect(scored[example * 20 + target]).toBeCloseTo(expected[example]![target]!, 12);
      }
    }
  });
});
