/** The ridge head against normal equations in dense f64. */
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import {
  createFactoredOutputLayer,
  fitRidge,
  squaredError,
  zLoss,
  type FactoredOutputLayer,
  type RidgeBatch,
} from '@vastmax/spherical-losses';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { cpuBackends } from '../cpu-backends.ts';
import { readWeights } from '../factored/layer-subjects.ts';
import { invertPositiveDefinite } from '../../src/ridge/positive-definite.ts';

const [classes, features, m, lambda] = [120, 7, 30, 0.5];

interface Example {
  readonly hidden: readonly number[];
  readonly targets: readonly number[];
  readonly values: readonly number[];
}

/** @param decay of the features' deviations, from 1 on: smaller is worse conditioned. @param mean of the features. */
function examplesOf(count: number, seed: number, { decay = 1, mean = 0 } = {}): readonly Example[] {
  const random = new RandomGenerator(seed);
  return Array.from({ length: count }, () => {
    const list = Array.from({ length: random.integer(5) }, () => random.integer(classes));
    return {
      hidden: Array.from({ length: features }, (_, i) => Math.fround(mean + decay ** i * random.normal())),
      // Repeated targets of an example are added up.
      targets: list.length > 2 ? [...list, list[0]!] : list,
      values: Array.from({ length: list.length > 2 ? list.length + 1 : list.length }, () => random.integer(4) - 1),
    };
  });
}

function targetsOf(examples: readonly Example[], columns = classes): CsrRows {
  return csrFromLists(
    examples.map(({ targets }) => [...targets]),
    columns,
    examples.map(({ values }) => [...values]),
  );
}

const hiddenOf = (examples: readonly Example[]): Float64Array =>
  Float64Array.from(examples.flatMap(({ hidden }) => [...hidden]));

function batchesOf(examples: readonly Example[]): RidgeBatch[] {
  const batches: RidgeBatch[] = [];
  for (let first = 0; first < examples.length; first += m) {
    const part = examples.slice(first, first + m);
    batches.push({ hidden: hiddenOf(part), targets: targetsOf(part) });
  }
  return batches;
}

/** W, D×(features + 1), of (HᵀH + λE)⁻¹. */
function denseRidge(examples: readonly Example[], penalty: number, bias: boolean): Float64Array {
  const width = features + (bias ? 1 : 0);
  const gram = new Float64Array(width * width);
  const sums = new Float64Array(classes * width);
  for (const { hidden, targets, values } of examples) {
    const h = bias ? [...hidden, 1] : hidden;
    for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) gram[i * width + j]! += h[i]! * h[j]!;
    for (const [t, target] of targets.entries())
      for (let i = 0; i < width; i++) sums[target * width + i]! += values[t]! * h[i]!;
  }
  for (let i = 0; i < features; i++) gram[i * (width + 1)]! += penalty;
  const inverse = invertPositiveDefinite(gram, width) ?? new Float64Array(0);
  return Float64Array.from({ length: classes * width }, (_, place) => {
    const [row, column] = [Math.floor(place / width), place % width];
    let sum = 0;
    for (let k = 0; k < width; k++) sum += sums[row * width + k]! * inverse[k * width + column]!;
    return sum;
  });
}

async function weightsOf(layer: FactoredOutputLayer): Promise<Float64Array> {
  return Float64Array.from(await readWeights(layer));
}

describe.each(cpuBackends)('fitRidge on %s', (_, create) => {
  // Well conditioned, so that V and U are the layer's; and not, so that W is stored.
  const kinds = [{}, { decay: 0.5 }, { mean: 3 }].flatMap((kind) => [true, false].map((bias) => ({ ...kind, bias })));
  it.each(kinds)('equals dense ridge regression: %j', async ({ bias, ...kind }) => {
    const backend = await create();
    const examples = examplesOf(200, 1, kind);
    using fit = await fitRidge(backend, batchesOf(examples), { classes, features, bias });
    using layer = await fit.createLayer({ lambda });
    expect(fit.examples).toBe(200);
    const [bound, drift] = backend.precision === 'f64' ? [1e-10, 1e-11] : [1e-4, 2e-5];
    expect(relativeError(await weightsOf(layer), denseRidge(examples, lambda, bias))).toBeLessThan(bound);
    const { gramDrift, columnSumDrift, inverseDrift } = await layer.verify();
    expect(Math.max(gramDrift, columnSumDrift, inverseDrift)).toBeLessThan(drift);
    await backend.dispose();
  });
});

describe('a ridge fit', () => {
  const backend = createPlainBackend({ precision: 'f64' });
  const examples = examplesOf(150, 2);
  const fitOf = async (list: readonly Example[]): Promise<Awaited<ReturnType<typeof fitRidge>>> =>
    fitRidge(backend, batchesOf(list), { classes, features });
  const solved = async (fit: Awaited<ReturnType<typeof fitRidge>>): Promise<Float64Array> => {
    using layer = await fit.createLayer({ lambda });
    return weightsOf(layer);
  };

  it('merges, and forgets an example as if it had never seen it', async () => {
    using whole = await fitOf(examples);
    using first = await fitOf(examples.slice(0, 60));
    using second = await fitOf(examples.slice(60));
    first.merge(second);
    expect(first.examples).toBe(150);
    expect(relativeError(await solved(first), await solved(whole))).toBeLessThan(1e-12);
    expect((await first.chooseLambda()).lambda).toBeCloseTo((await whole.chooseLambda()).lambda, 6);

    const gone = examples.slice(40, 45);
    await whole.remove(hiddenOf(gone), targetsOf(gone));
    using never = await fitOf([...examples.slice(0, 40), ...examples.slice(45)]);
    expect(whole.examples).toBe(145);
    expect(relativeError(await solved(whole), await solved(never))).toBeLessThan(1e-8);
    const [left, right] = [await whole.crossValidate([lambda]), await never.crossValidate([lambda])];
    expect(relativeError([left[0]!.criterion], [right[0]!.criterion])).toBeLessThan(1e-8);
  });

  it('adds classes, and forgets one as if it had never been a target', async () => {
    using fit = await fitRidge(backend, [], { classes: classes - 5, features });
    fit.addClasses(5);
    for (const { hidden, targets } of batchesOf(examples)) await fit.add(hidden, targets);
    const forgotten = [3, classes - 1];
    fit.forgetClasses(forgotten);
    const others = examples.map(({ hidden, targets, values }) => {
      const kept = [...targets.keys()].filter((i) => !forgotten.includes(targets[i]!));
      return { hidden, targets: kept.map((i) => targets[i]!), values: kept.map((i) => values[i]!) };
    });
    using never = await fitOf(others);
    const weights = await solved(fit);
    expect(relativeError(weights, await solved(never))).toBeLessThan(1e-12);
    expect(weights.subarray(3 * 8, 4 * 8).every((value) => value === 0)).toBe(true);
    const [left, right] = [await fit.crossValidate([lambda]), await never.crossValidate([lambda])];
    expect(relativeError([left[0]!.criterion], [right[0]!.criterion])).toBeLessThan(1e-12);
  });

  it.each([true, false])('chooses the λ of the smallest criterion; bias %s', async (bias) => {
    using fit = await fitRidge(backend, batchesOf(examples), { classes, features, bias });
    const lambdas = [0, 1e-3, 0.1, 1, 10, 100, 1e4];
    const rows = await fit.crossValidate(lambdas);
    for (const [i, row] of rows.entries()) {
      const weights = denseRidge(examples, lambdas[i]!, bias);
      const width = features + (bias ? 1 : 0);
      let residual = 0;
      // The hat matrix is linear in the targets: its trace by the outputs of one more class, whose target is an example.
      for (const { hidden, targets, values } of examples) {
        const h = bias ? [...hidden, 1] : hidden;
        for (let c = 0; c < classes; c++) {
          let wanted = 0;
          for (const [t, target] of targets.entries()) if (target === c) wanted += values[t]!;
          residual += (wanted - h.reduce((sum, x, k) => sum + x * weights[c * width + k]!, 0)) ** 2;
        }
      }
      const criterion = residual / 150 / (1 - row.degreesOfFreedom / 150) ** 2;
      expect(relativeError([row.criterion], [criterion])).toBeLessThan(1e-10);
      if (lambdas[i] === 0) expect(row.degreesOfFreedom).toBeCloseTo(width, 8);
    }
    const best = await fit.chooseLambda();
    for (const { criterion } of rows) expect(best.criterion).toBeLessThanOrEqual(criterion);
    using layer = await fit.createLayer();
    using again = await fit.createLayer({ lambda: best.lambda });
    expect(await weightsOf(layer)).toEqual(await weightsOf(again));
  });

  it('has the degrees of freedom of its hat matrix', async () => {
    const few = examplesOf(12, 4);
    using fit = await fitRidge(backend, batchesOf(few), { classes, features });
    const [row] = await fit.crossValidate([lambda]);
    let trace = 0;
    for (const [j] of few.entries()) {
      // One class, the target of example j alone: its output there is the hat matrix's diagonal.
      const one = few.map((each, i) => ({ ...each, targets: i === j ? [0] : [], values: i === j ? [1] : [] }));
      const weights = denseRidge(one, lambda, true);
      trace += [...few[j]!.hidden, 1].reduce((sum, x, k) => sum + x * weights[k]!, 0);
    }
    expect(row?.degreesOfFreedom).toBeCloseTo(trace, 10);
  });

  it.each([1, 0.5])('gives a layer that trains, scores and is saved like any other; decay %d', async (decay) => {
    const list = examplesOf(200, 5, { decay });
    using fit = await fitRidge(backend, batchesOf(list), { classes, features });
    using layer = await fit.createLayer({ lambda });
    const start = await weightsOf(layer);
    using same = await createFactoredOutputLayer(backend, {
      classes,
      features,
      loss: squaredError(),
      initialRows: (first, count) => start.subarray(first * 8, (first + count) * 8),
    });
    const part = list.slice(0, m);
    using hidden = createMatrixFrom(backend, m, features, hiddenOf(part));
    for (let step = 0; step < 30; step++) {
      const options = { learningRate: 0.05 };
      const gradient = await read((await layer.step(hidden, targetsOf(part), options)).hiddenGradient);
      const expected = await read((await same.step(hidden, targetsOf(part), options)).hiddenGradient);
      expect(relativeError(gradient, expected)).toBeLessThan(1e-10);
    }
    expect(relativeError(await weightsOf(layer), await weightsOf(same))).toBeLessThan(1e-11);
    using restored = await fit.createLayer({ lambda: 3 });
    await restored.restore(layer.state());
    expect(await weightsOf(restored)).toEqual(await weightsOf(layer));
  });

  it('can go on with another loss', async () => {
    using fit = await fitOf(examples);
    using layer = await fit.createLayer({ lambda, loss: zLoss(), weightDecay: 1e-4 });
    expect(layer.loss.name).toBe('z-loss');
  });

  it('says what is wrong with its arguments, and stays as it was', async () => {
    using fit = await fitOf(examples);
    using other = await fitRidge(backend, [], { classes, features: 3 });
    const before = await solved(fit);
    const targets = targetsOf(examples.slice(0, 2));
    const bad = new Float64Array(2 * features).fill(Number.NaN);
    await expect(fit.add(new Float64Array(9), targets)).rejects.toThrow(
      'ridge add: 9 numbers are not whole rows of 7 features',
    );
    await expect(fit.add(new Float64Array(21), targets)).rejects.toThrow('targets have 2 rows, hidden has 3');
    await expect(fit.add(bad, targets)).rejects.toThrow('ridge add: feature 0 of the examples is not finite');
    await expect(fit.createLayer({ lambda: -1 })).rejects.toThrow(
      'ridge createLayer: lambda must be a finite number of at least 0, got -1',
    );
    await expect(other.chooseLambda()).rejects.toThrow('ridge chooseLambda: there are 0 examples, add some first');
    await expect(other.createLayer({ lambda: 0 })).rejects.toThrow('HᵀH + λI has no inverse; give a larger lambda');
    expect(() => {
      fit.merge(other);
    }).toThrow('the other fit has 120 classes, 3 features, bias true, this one 120 classes, 7 features, bias true');
    expect(() => {
      fit.forgetClasses([1, 120]);
    }).toThrow('ridge forgetClasses: 120 is not a class (0 to 119)');
    expect(() => {
      fit.addClasses(0);
    }).toThrow('count must be a whole number from 1 on, got 0');
    expect(await solved(fit)).toEqual(before);
  });
});
