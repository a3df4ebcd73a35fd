/** Alternating least squares against dense solving of the same systems in f64. */
import { createPlainBackend, read, readRows, type Backend } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import { fitAlternating, zLoss, type AlternatingFit } from '@vastmax/spherical-losses';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { readWeights } from '../factored/layer-subjects.ts';
import { invertPositiveDefinite } from '../../src/ridge/positive-definite.ts';
import { cpuBackends } from '../cpu-backends.ts';

const [examples, classes, features] = [60, 45, 6];
const options = { features, epochs: 3, unobservedWeight: 0.05, lambda: 0.01, frequencyExponent: 0.7, seed: 3 };

interface Entry {
  readonly example: number;
  readonly column: number;
  readonly weight: number;
}

/** With empty rows, rows of more than d entries, and a class twice in an example. */
function randomEntries(isWeighted: boolean): readonly Entry[] {
  const random = new RandomGenerator(7);
  return Array.from({ length: examples }, (_, example) => {
    const count = example % 7 === 0 ? 0 : example % 5 === 0 ? 12 : 1 + random.integer(5);
    const columns = Array.from({ length: count }, () => random.integer(classes - 1));
    return [...columns, ...columns.slice(0, example % 2)].map((column) => ({
      example,
      column,
      weight: isWeighted ? Math.fround(0.5 + random.uniform()) : 1,
    }));
  }).flat();
}

function setsOf(entries: readonly Entry[], isWeighted: boolean): CsrRows {
  const of = (example: number): readonly Entry[] => entries.filter((entry) => entry.example === example);
  const rows = Array.from({ length: examples }, (_, example) => of(example));
  const lists = rows.map((row) => row.map(({ column }) => column));
  if (!isWeighted) return csrFromLists(lists, classes);
  return csrFromLists(
    lists,
    classes,
    rows.map((row) => row.map(({ weight }) => weight)),
  );
}

/** One side of a sweep as its formula says, rows×d. */
function denseSide(
  fixed: ArrayLike<number>,
  fixedRows: number,
  rows: number,
  entries: readonly (readonly [row: number, other: number, weight: number])[],
  penaltyCounts: 'entries' | 'all',
): Float64Array {
  const { unobservedWeight, lambda, frequencyExponent } = options;
  const out = new Float64Array(rows * features);
  for (let row = 0; row < rows; row++) {
    const own = entries.filter(([each]) => each === row);
    const count = own.reduce((sum, [, , weight]) => sum + weight, 0);
    const system = new Float64Array(features * features);
    const side = new Float64Array(features);
    const add = (weight: number, other: number): void => {
      for (let i = 0; i < features; i++)
        for (let j = 0; j < features; j++)
          system[i * features + j]! += weight * fixed[other * features + i]! * fixed[other * features + j]!;
    };
    for (let other = 0; other < fixedRows; other++) add(unobservedWeight, other);
    for (const [, other, weight] of own) {
      add(weight, other);
      for (let i = 0; i < features; i++) side[i]! += weight * fixed[other * features + i]!;
    }
    if (own.length === 0) continue;
    const penalty =
      lambda * (count + (penaltyCounts === 'all' ? unobservedWeight * fixedRows : 0)) ** frequencyExponent;
    for (let i = 0; i < features; i++) system[i * (features + 1)]! += penalty;
    const inverse = invertPositiveDefinite(system, features) ?? new Float64Array(0);
    for (let i = 0; i < features; i++)
      for (let j = 0; j < features; j++) out[row * features + i]! += inverse[i * features + j]! * side[j]!;
  }
  return out;
}

/** X·Wᵀ: what does not depend on the basis. */
function outputsOf(x: ArrayLike<number>, w: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: examples * classes }, (_, place) => {
    const [example, column] = [Math.floor(place / classes), place % classes];
    let sum = 0;
    for (let i = 0; i < features; i++) sum += x[example * features + i]! * w[column * features + i]!;
    return sum;
  });
}

async function outputsOfFit(fit: AlternatingFit): Promise<Float64Array> {
  return outputsOf(await readRows(fit.exampleRows, 0, examples), await readRows(fit.classRows, 0, classes));
}

async function startOf(backend: Backend, sets: CsrRows): Promise<Float64Array> {
  using fit = await fitAlternating(backend, sets, { ...options, epochs: 0 });
  return Float64Array.from(await readRows(fit.exampleRows, 0, examples));
}

describe.each(cpuBackends)('%s', (_name, create) => {
  it.each([false, true])('solves what dense solving finds, weighted: %s', async (isWeighted) => {
    const backend = await create();
    const entries = randomEntries(isWeighted);
    const sets = setsOf(entries, isWeighted);
    const penaltyCounts = isWeighted ? 'entries' : 'all';
    let x = await startOf(backend, sets);
    let w: Float64Array = new Float64Array(0);
    for (let epoch = 0; epoch < options.epochs; epoch++) {
      w = denseSide(
        x,
        examples,
        classes,
        entries.map(({ example, column, weight }) => [column, example, weight] as const),
        penaltyCounts,
      );
      x = denseSide(
        w,
        classes,
        examples,
        entries.map(({ example, column, weight }) => [example, column, weight] as const),
        penaltyCounts,
      );
    }
    {
      using fit = await fitAlternating(backend, sets, { ...options, penaltyCounts });
      const allowed = backend.precision === 'f64' ? 1e-11 : 1e-4;
      expect(relativeError(await outputsOfFit(fit), outputsOf(x, w))).toBeLessThan(allowed);
    }
    expect(backend.memory().matrices + backend.memory().tables + backend.memory().indices).toBe(0);
    await backend.dispose();
  });

  it('folds the examples of the fit in as it solved them, and has its rows in a layer', async () => {
    const backend = await create();
    const sets = setsOf(randomEntries(true), true);
    using fit = await fitAlternating(backend, sets, options);
    using folded = await fit.foldIn(sets);
    expect([...(await read(folded))]).toEqual([...(await readRows(fit.exampleRows, 0, examples))]);
    using layer = await fit.createLayer();
    expect(relativeError(await readWeights(layer), await readRows(fit.classRows, 0, classes))).toBeLessThan(1e-6);
    using scores = backend.createMatrix(examples, classes);
    layer.scores(folded, 0, scores);
    expect(relativeError(await read(scores), await outputsOfFit(fit))).toBeLessThan(1e-5);
    using biased = await fit.createLayer({ bias: true });
    biased.scores(folded, 0, scores);
    expect(relativeError(await read(scores), await outputsOfFit(fit))).toBeLessThan(1e-5);
    using other = await fit.createLayer({ loss: zLoss({ a: 0.1, b: 10 }) });
    expect(other.loss.name).toBe('z-loss');
  });
});

describe('the fit', () => {
  const sets = setsOf(randomEntries(false), false);

  it('lowers its objective with each sweep', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const objective = async (epochs: number): Promise<number> => {
      using fit = await fitAlternating(backend, sets, { ...options, epochs, frequencyExponent: 0 });
      const outputs = await outputsOfFit(fit);
      const rows = [await readRows(fit.exampleRows, 0, examples), await readRows(fit.classRows, 0, classes)];
      const squares = rows.reduce((sum, values) => sum + Float64Array.from(values).reduce((s, v) => s + v * v, 0), 0);
      let sum = options.lambda * squares + options.unobservedWeight * outputs.reduce((s, v) => s + v * v, 0);
      for (const { example, column } of randomEntries(false)) sum += (outputs[example * classes + column]! - 1) ** 2;
      return sum;
    };
    const values = [await objective(1), await objective(2), await objective(5), await objective(20)];
    expect(values).toEqual([...values].sort((a, b) => b - a));
  });

  it('is the same for the same seed, tells how far it is, and stops', async () => {
    const backend = createPlainBackend();
    using first = await fitAlternating(backend, sets, options);
    using second = await fitAlternating(backend, sets, options);
    expect([...(await outputsOfFit(first))]).toEqual([...(await outputsOfFit(second))]);
    const controller = new AbortController();
    const seen: number[] = [];
    const stopped = fitAlternating(backend, sets, {
      ...options,
      signal: controller.signal,
      onProgress: ({ epoch, epochs, done }) => {
        expect(epochs).toBe(options.epochs);
        if (done === 1) seen.push(epoch);
      },
      afterSweep: (_fit, epoch) => {
        if (epoch === 2) controller.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(seen).toEqual([1, 2]);
  });

  it.each(['f32', 'f64'] as const)('goes on from its classes bit for bit in %s', async (precision) => {
    const backend = createPlainBackend({ precision });
    {
      using whole = await fitAlternating(backend, sets, options);
      using half = await fitAlternating(backend, sets, { ...options, epochs: 1 });
      using start = await half.createFoldIn();
      using resumed = await fitAlternating(backend, sets, { ...options, epochs: 2, start });
      expect([...(await outputsOfFit(resumed))]).toEqual([...(await outputsOfFit(whole))]);
      await expect(fitAlternating(backend, sets, { ...options, features: 3, start })).rejects.toThrow(
        'the start has 45 classes of 6 features, the fit 45 of 3',
      );
    }
    expect(backend.memory().matrices + backend.memory().tables + backend.memory().indices).toBe(0);
  });

  it('names what is wrong', async () => {
    const backend = createPlainBackend();
    const fitWith = (more: object): Promise<unknown> => fitAlternating(backend, sets, { ...options, ...more });
    await expect(fitWith({ features: 0 })).rejects.toThrow(/features must be a whole number.*got 0/);
    await expect(fitWith({ epochs: -1 })).rejects.toThrow(/epochs must be a whole number.*got -1/);
    await expect(fitWith({ lambda: 0 })).rejects.toThrow(/lambda must be a finite number above 0, got 0/);
    await expect(fitWith({ unobservedWeight: NaN })).rejects.toThrow(/unobservedWeight .* got NaN/);
    await expect(fitWith({ frequencyExponent: Infinity })).rejects.toThrow(/frequencyExponent .* got Infinity/);
    await expect(fitAlternating(backend, csrFromLists([[1]], 3, [[0]]), options)).rejects.toThrow(
      /the weight of entry 0 is 0; weights must be above 0/,
    );
    using fit = await fitAlternating(backend, sets, options);
    await expect(fit.foldIn(csrFromLists([[1]], classes + 1))).rejects.toThrow(/sets of 46 classes; the fit has 45/);
  });
});
