import { createPlainBackend } from '@vastmax/linalg-core';
import { checkRule, createUpdateRule, updateRuleNames } from '@vastmax/update-rules';
import { describe, expect, it } from 'vitest';
import { largestError, normals, rowsOf, valuesOf } from './numbers.ts';
import { naiveRules, naiveTableStep, naiveWeights } from './naive-rules.ts';
import { repeatedTouches, Updaters } from './updater-pairs.ts';

const columns = 3;
const tableRows = 9;

describe.each(updateRuleNames)('%s', (name) => {
  const rule = naiveRules[name]!;

  it('changes a matrix as the formulas say, over many steps and rates', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const start = normals(4 * columns, 1);
    using updaters = new Updaters(backend, name, start, normals(tableRows * columns, 2), columns);
    const expected = naiveWeights(start);
    for (let step = 1; step <= 12; step++) {
      const gradient = normals(start.length, 10 + step);
      const rate = 0.3 / step;
      updaters.stepMatrix(gradient, rate, step);
      expected.forEach((weight, i) => {
        rule(weight, gradient[i]!, rate, step);
      });
      expect(
        largestError(
          await valuesOf(updaters.matrix),
          expected.map(({ value }) => value),
        ),
      ).toBeLessThan(1e-12);
    }
  });

  it('adds up repeated rows of a table and changes each touched row once', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const start = normals(tableRows * columns, 3);
    using updaters = new Updaters(backend, name, normals(columns, 4), start, columns);
    const expected = naiveWeights(start);
    for (let step = 1; step <= 12; step++) {
      const touches = repeatedTouches(step, tableRows, columns);
      updaters.stepTable(touches, 0.1, step);
      naiveTableStep(rule, expected, columns, touches, 0.1, step);
      expect(
        largestError(
          await rowsOf(updaters.table),
          expected.map(({ value }) => value),
        ),
      ).toBeLessThan(1e-12);
    }
  });
});

describe('adam', () => {
  it("corrects the bias of a row first touched late by the training's step count", async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using updaters = new Updaters(backend, 'adam', normals(1, 1), Float64Array.of(0, 0), 1);
    for (let step = 1; step < 5; step++) updaters.stepTable([{ indices: [0], rows: Float64Array.of(1) }], 0.1, step);
    updaters.stepTable([{ indices: [1], rows: Float64Array.of(2) }], 0.1, 5);
    const mean = ((1 - 0.9) * 2) / (1 - 0.9 ** 5);
    const deviation = Math.sqrt(((1 - 0.999) * 4) / (1 - 0.999 ** 5));
    const [constant, late] = await rowsOf(updaters.table);
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
    expect(() => createUpdateRule('sdg')).toThrow(
      "no optimizer is called 'sdg'; there are sgd, momentum, adagrad, adam",
    );
    expect(() => createUpdateRule('sdg')).toThrow(expect.objectContaining({ code: 'bad-option', name: 'OptionError' }));
    expect(() => createUpdateRule('adagrad', { epsilon: -1 })).toThrow('adagrad: epsilon must be a finite number');
    expect(() => createUpdateRule('adam', { epsilon: Infinity })).toThrow('adam: epsilon must be a finite number');
    expect(() => {
      checkRule('full-softmax', createUpdateRule as never);
    }).toThrow('full-softmax: rule must be an update rule, got the function createUpdateRule; call it');
    expect(() => {
      checkRule('full-softmax', 'adam' as never);
    }).toThrow(
      expect.objectContaining({
        code: 'bad-option',
        message: expect.stringContaining("createUpdateRule('adam')") as string,
      }),
    );
    expect(() => createUpdateRule('momentum', { momentum: 1 })).toThrow(
      'momentum: momentum must be at least 0 and less than 1, got 1',
    );
    expect(() => createUpdateRule('adam', { beta1: -0.1 })).toThrow(
      'adam: beta1 must be at least 0 and less than 1, got -0.1',
    );
    expect(() => createUpdateRule('adam', { beta2: Number.NaN })).toThrow('adam: beta2');
  });
});
