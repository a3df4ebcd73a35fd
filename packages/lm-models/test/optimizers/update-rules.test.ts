import { createPlainBackend } from '@vastmax/linalg-core';
import { createUpdateRule, updateRuleNames } from '@vastmax/lm-models';
import { describe, expect, it } from 'vitest';
import { largestError, normals, rowsOf, valuesOf } from '../numbers.ts';
import { GradientSteps, repeatedTouches } from './gradient-steps.ts';
import { naiveRules, naiveTableStep, naiveWeights } from './naive-rules.ts';

const columns = 3;
const tableRows = 9;

describe.each(updateRuleNames)('%s', (name) => {
  const rule = naiveRules[name]!;

  it('changes a matrix as the formulas say, over many steps and rates', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const start = normals(4 * columns, 1);
    using steps = new GradientSteps(backend, name, start, normals(tableRows * columns, 2), columns);
    const expected = naiveWeights(start);
    for (let step = 1; step <= 12; step++) {
      const gradient = normals(start.length, 10 + step);
      const rate = 0.3 / step;
      steps.step(rate, [], gradient);
      expected.forEach((weight, i) => {
        rule(weight, gradient[i]!, rate, step);
      });
      expect(largestError(await valuesOf(steps.matrix.value), expected.map(({ value }) => value))).toBeLessThan(1e-12);
    }
    expect(steps.optimizer.stepCount).toBe(12);
  });

  it('adds up repeated rows of a table and changes each touched row once', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const start = normals(tableRows * columns, 3);
    using steps = new GradientSteps(backend, name, normals(columns, 4), start, columns);
    const expected = naiveWeights(start);
    for (let step = 1; step <= 12; step++) {
      const touches = repeatedTouches(step, tableRows, columns);
      steps.step(0.1, touches);
      naiveTableStep(rule, expected, columns, touches, 0.1, step);
      expect(largestError(await rowsOf(steps.table.table), expected.map(({ value }) => value))).toBeLessThan(1e-12);
    }
  });

  it('leaves untouched rows and their moments as they are, bit for bit', async () => {
    const backend = createPlainBackend({ precision: 'f32' });
    using steps = new GradientSteps(backend, name, normals(columns, 5), normals(tableRows * columns, 6), columns);
    const everything = async (): Promise<ArrayLike<number>[]> => {
      const moments = steps.optimizer.state().tensors.filter((tensor) => tensor.name.startsWith('table.'));
      return [await rowsOf(steps.table.table), ...(await Promise.all(moments.map((tensor) => tensor.read(0, tableRows))))];
    };
    const all = Array.from({ length: tableRows }, (_, row) => row);
    steps.step(0.1, [{ indices: all, rows: normals(tableRows * columns, 7) }]);
    for (let step = 2; step < 6; step++) {
      const before = (await everything()).map((values) => Float64Array.from(values));
      const touched = new Set([step, 0]);
      steps.step(0.1, [{ indices: [step, 0, step], rows: normals(3 * columns, step) }], normals(columns, step));
      for (const [place, after] of (await everything()).entries()) {
        for (let i = 0; i < after.length; i++) {
          const isTouched = touched.has(Math.floor(i / columns));
          if (isTouched) expect(after[i]).not.toBe(before[place]![i]);
          else expect(after[i]).toBe(before[place]![i]);
        }
      }
    }
  });

  it('leaves a matrix without a gradient alone', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const start = normals(2 * columns, 8);
    using steps = new GradientSteps(backend, name, start, normals(tableRows * columns, 9), columns);
    steps.step(0.1, repeatedTouches(1, tableRows, columns));
    expect(await valuesOf(steps.matrix.value)).toEqual(start);
  });
});

describe('adam', () => {
  it('corrects the bias of a row first touched late by the optimiser\'s step count', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using steps = new GradientSteps(backend, 'adam', normals(1, 1), Float64Array.of(0, 0), 1);
    for (let step = 1; step < 5; step++) steps.step(0.1, [{ indices: [0], rows: Float64Array.of(1) }]);
    steps.step(0.1, [{ indices: [1], rows: Float64Array.of(2) }]);
    const mean = ((1 - 0.9) * 2) / (1 - 0.9 ** 5);
    const deviation = Math.sqrt(((1 - 0.999) * 4) / (1 - 0.999 ** 5));
    const [constant, late] = await rowsOf(steps.table.table);
    // With a constant gradient every corrected step is the rate.
    expect(constant).toBeCloseTo(-0.4, 7);
    expect(late).toBeCloseTo((-0.1 * mean) / (deviation + 1e-8), 12);
  });
});

describe('createUpdateRule', () => {
  it('takes the options of a rule', () => {
    expect(createUpdateRule('momentum', { momentum: 0.5 }).options).toEqual({ momentum: 0.5 });
    expect(createUpdateRule('adam', { beta2: 0.99 }).options).toEqual({ beta1: 0.9, beta2: 0.99, epsilon: 1e-8 });
    expect(createUpdateRule('adagrad', { epsilon: 0.1 }).options).toEqual({ epsilon: 0.1 });
  });

  it('names what there is, and what an option must be', () => {
    expect(() => createUpdateRule('sdg')).toThrow("no optimizer is called 'sdg'; there are sgd, momentum, adagrad, adam");
    expect(() => createUpdateRule('momentum', { momentum: 1 })).toThrow('momentum: momentum must be at least 0 and less than 1, got 1');
    expect(() => createUpdateRule('adam', { beta1: -0.1 })).toThrow('adam: beta1 must be at least 0 and less than 1, got -0.1');
    expect(() => createUpdateRule('adam', { beta2: Number.NaN })).toThrow('adam: beta2');
  });
});
