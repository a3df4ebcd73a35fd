/**
 * Outputs from the rows as they are stored, with hidden mapped to their basis, are those of the dense rows; and an index
 * over the stored rows finds the best classes of any moment of training, when it is told only the rows that were touched.
 */
import { createMatrixFrom, read, type Matrix } from '@vastmax/linalg-core';
import { RandomGenerator } from '@vastmax/sparse-data';
import { indexTable } from '@vastmax/top-k';
import { describe, expect, test } from 'vitest';
import { createTwinRun, staleRows, type TwinRun } from './trained-layers.ts';

const classes = 900;

async function naiveOutputs(run: TwinRun, hidden: Matrix): Promise<Float64Array> {
  const { layer } = run;
  using dense = layer.backend.createMatrix(layer.classes, layer.width);
  layer.denseRows(0, dense);
  const rows = await read(dense);
  const values = await read(hidden);
  const { features, width } = layer;
  return Float64Array.from({ length: hidden.rows * layer.classes }, (_, i) => {
    const [example, row] = [Math.floor(i / layer.classes), i % layer.classes];
    let sum = layer.bias ? rows[row * width + features]! : 0;
    for (let j = 0; j < features; j++) sum += rows[row * width + j]! * values[example * features + j]!;
    return sum;
  });
}

function randomHidden(run: TwinRun, examples: number, seed: number): Matrix {
  const random = new RandomGenerator(seed);
  const { features, backend } = run.layer;
  return createMatrixFrom(
    backend,
    examples,
    features,
    Float64Array.from({ length: examples * features }, () => random.normal()),
  );
}

describe.each(['f32', 'f64'] as const)('rows of many epochs, %s', (precision) => {
  test('scores of ranges of classes are those of the dense rows', async () => {
    using run = await createTwinRun({ ...staleRows, precision, classes });
    for (const steps of [0, 3, 40, 200]) {
      await run.train(steps);
      for (const examples of [1, 3, 300]) {
        using hidden = randomHidden(run, examples, steps + examples);
        const expected = await naiveOutputs(run, hidden);
        const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const tolerance = (precision === 'f32' ? 2e-5 : 1e-11) * largest;
        for (const [first, count] of [
          [0, classes],
          [17, 400],
          [classes - 1, 1],
        ] as const) {
          using out = run.layer.backend.createMatrix(examples, count);
          run.layer.scores(hidden, first, out);
          const got = await read(out);
          let error = 0;
          for (let i = 0; i < got.length; i++) {
            const other = expected[Math.floor(i / count) * classes + first + (i % count)]!;
            error = Math.max(error, Math.abs(got[i]! - other));
          }
          expect(error).toBeLessThanOrEqual(tolerance);
        }
      }
    }
    expect(run.layer.counters.rebases).toBeGreaterThan(precision === 'f32' ? 3 : -1);
  });
});

test('an index over the stored rows stays valid while training goes on', async () => {
  using run = await createTwinRun({ ...staleRows, classes });
  const { layer } = run;
  const stored = layer.storedRows();
  using index = await indexTable(stored.table);
  const touched: number[] = [];
  for (let round = 0; round < 12; round++) {
    await run.train(9);
    const changed = await stored.takeChanged();
    touched.push(changed.length);
    await index.refresh(changed);
    using hidden = randomHidden(run, 1, 100 + round);
    const expected = await naiveOutputs(run, hidden);
    const order = [...expected.keys()].sort((a, b) => expected[b]! - expected[a]!).slice(0, 5);
    const { indices, scores } = await index.searchGrouped(await stored.mapQuery(hidden), 5);
    // Classes of nearly equal outputs may change places: by roundings of f32 in the dense rows.
    for (const [place, found] of indices.entries()) {
      expect(Math.abs(expected[found]! - expected[order[place]!]!)).toBeLessThan(1e-5);
      expect(Math.abs(scores[place]! - expected[found]!)).toBeLessThan(1e-5);
    }
  }
  expect(layer.counters.rebases).toBeGreaterThan(3);
  // Not all rows were touched in a round.
  expect(Math.max(...touched)).toBeLessThan(classes);
});
