import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { createUpdateRule } from '@vastmax/update-rules';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readWeights } from '../subjects.ts';
import { frequenciesFor, layerKinds, logProbabilities } from './layer-kinds.ts';

const createF64 = (): ReturnType<typeof createPlainBackend> => createPlainBackend({ precision: 'f64' });

function normals(count: number, seed: number): Float64Array {
  const random = new RandomGenerator(seed);
  return Float64Array.from({ length: count }, () => random.normal());
}

describe.each(layerKinds)('the $name layer', ({ create }) => {
  it('has probabilities that sum to one, before and after training, whatever D and the frequencies are', async () => {
    const classes = fc.integer({ min: 2, max: 70 });
    const parameters = fc.tuple(classes, fc.integer({ min: 1, max: 1000 })).chain(([count, seed]) =>
      fc.record({
        seed: fc.constant(seed),
        frequencies: fc.array(fc.nat(20), { minLength: count, maxLength: count }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(parameters, async ({ seed, frequencies }) => {
        const count = frequencies.length;
        const options = { classes: count, features: 3, seed, initialScale: 0.5 };
        using layer = await create(createF64(), options, Float64Array.from(frequencies));
        using hidden = createMatrixFrom(layer.backend, 2, 3, normals(6, seed));
        for (let step = 0; step < 3; step++) {
          const sums = [0, 0];
          (await logProbabilities(layer, normals(6, seed + step))).forEach((logProbability, i) => {
            sums[Math.floor(i / count)]! += Math.exp(logProbability);
          });
          expect(sums[0]).toBeCloseTo(1, 12);
          expect(sums[1]).toBeCloseTo(1, 12);
          await layer.step(hidden, singleTargets(Int32Array.of(seed % count, count - 1), count), { learningRate: 1 });
        }
      }),
      { numRuns: 12 },
    );
  });

  it.each(['sgd', 'adam'])('is on wasm f32 what it is in f64 to rounding, %s', async (rule) => {
    const options = { classes: 150, features: 12, initialScale: 0.3, rule: createUpdateRule(rule) };
    const wasm = await createWasmBackend();
    using fast = await create(wasm, options, frequenciesFor(150));
    using exact = await create(createF64(), options, frequenciesFor(150));
    for (let step = 0; step < 15; step++) {
      const values = normals(9 * 12, step);
      const targets = csrFromLists(
        Array.from({ length: 9 }, (_, j) =>
          j === 4 ? [] : [(step * 7 + j * 31) % 150, (step + j) % 150].slice(j % 2),
        ),
        150,
      );
      const seen: number[][] = [];
      for (const layer of [fast, exact]) {
        using hidden = createMatrixFrom(layer.backend, 9, 12, values);
        const { losses, hiddenGradient } = await layer.step(hidden, targets, { learningRate: 0.05 });
        seen.push([...(await read(losses)), ...Array.from(await read(hiddenGradient), (value) => 10 * value)]);
      }
      seen[1]!.forEach((value, i) => {
        expect(Math.abs(seen[0]![i]! - value)).toBeLessThan(2e-4);
      });
    }
    await wasm.dispose();
  });

  it('refuses a step whose loss is not finite, names step and rate, and is as it was', async () => {
    using layer = await create(
      createPlainBackend({ precision: 'f32' }),
      { classes: 12, features: 4, initialScale: 0.3 },
      frequenciesFor(12),
    );
    using hidden = createMatrixFrom(layer.backend, 2, 4, [1, -2, 0.5, 3, 2, 2, -1, 0]);
    const targets = [csrFromLists([[3], [7]], 12), csrFromLists([[7], [3]], 12)];
    let before: Float64Array = new Float64Array(0);
    let steps = 0;
    let caught: unknown;
    try {
      for (; steps < 50; steps++) {
        before = await readWeights(layer);
        await layer.step(hidden, targets[steps % 2]!, { learningRate: 8e37 });
      }
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: 'diverged' });
    expect(String(caught)).toContain(`step ${steps}: the loss`);
    expect(String(caught)).toContain('at learning rate 8e+37');
    expect(before.every(Number.isFinite), 'the weights left behind are numbers').toBe(true);
    expect(await readWeights(layer)).toEqual(before);
    expect(layer.stepCount).toBe(steps);
  });

  it('reuses what it computed for the same hidden only while that holds', async () => {
    const classes = 40;
    using layer = await create(createF64(), { classes, features: 4, initialScale: 0.5 }, frequenciesFor(classes));
    using hidden = createMatrixFrom(layer.backend, 3, 4, normals(12, 1));
    using part = layer.backend.createMatrix(3, 10);
    const streamed = async (sameHidden: boolean): Promise<number[]> => {
      const scores: number[] = [];
      for (let first = 0; first < classes; first += 10) {
        layer.scores(hidden, first, part, { sameHidden: sameHidden && first > 0 });
        scores.push(...(await read(part)));
      }
      return scores;
    };
    const before = await streamed(false);
    expect(await streamed(true)).toEqual(before);
    layer.scores(hidden, 0, part);
    await layer.step(hidden, singleTargets(Int32Array.of(1, 2, 3), classes), { learningRate: 0.5 });
    const after: number[] = [];
    for (let first = 0; first < classes; first += 10) {
      layer.scores(hidden, first, part, { sameHidden: true });
      after.push(...(await read(part)));
    }
    expect(after).toEqual(await streamed(false));
    expect(after).not.toEqual(before);
  });

  it('takes rates for the sum of the losses when told to', async () => {
    const options = { classes: 20, features: 4, initialScale: 0.5 };
    using mean = await create(createF64(), options, frequenciesFor(20));
    using sum = await create(createF64(), { ...options, reduction: 'sum' }, frequenciesFor(20));
    const targets = csrFromLists([[3, 4], [7], []], 20);
    const gradients: number[][] = [];
    for (const [layer, learningRate] of [
      [mean, 0.3],
      [sum, 0.1],
    ] as const) {
      using hidden = createMatrixFrom(layer.backend, 3, 4, normals(12, 5));
      gradients.push(Array.from(await read((await layer.step(hidden, targets, { learningRate })).hiddenGradient)));
    }
    gradients[1]!.forEach((value, i) => {
      expect(value).toBeCloseTo(3 * gradients[0]![i]!, 14);
    });
    const expected = await readWeights(mean);
    (await readWeights(sum)).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 14);
    });
  });

  it('refuses options that cannot be', async () => {
    const backend = createF64();
    const before = backend.memory();
    const good = { classes: 20, features: 4 };
    for (const options of [
      { ...good, classes: 0 },
      { ...good, classes: 2.5 },
      { ...good, features: 0 },
      { ...good, initialScale: -1 },
      { ...good, initialScale: Number.NaN },
    ]) {
      await expect(create(backend, options, frequenciesFor(20))).rejects.toMatchObject({
        name: 'OutputLayerError',
        code: 'bad-option',
      });
    }
    expect(backend.memory()).toEqual(before);
  });

  it('refuses the state of another rule and of the other reduction', async () => {
    const options = { classes: 20, features: 4 };
    using layer = await create(createF64(), options, frequenciesFor(20));
    using other = await create(createF64(), { ...options, rule: createUpdateRule('momentum') }, frequenciesFor(20));
    using summed = await create(createF64(), { ...options, reduction: 'sum' }, frequenciesFor(20));
    await expect(layer.restore(other.state())).rejects.toThrow(
      /'rule' is .*momentum.* in the state, .*sgd.* in the layer/,
    );
    await expect(layer.restore(summed.state())).rejects.toThrow(
      /'reduction' is "sum" in the state, "mean" in the layer/,
    );
  });
});

describe('layers built from frequencies', () => {
  it.each(layerKinds.filter(({ name }) => name !== 'full'))(
    '$name: refuses a state of other frequencies and wrong frequencies',
    async ({ create }) => {
      const options = { classes: 30, features: 4 };
      const frequencies = frequenciesFor(30);
      using layer = await create(createF64(), options, frequencies);
      using other = await create(createF64(), options, frequencies.toReversed());
      const before = await readWeights(layer);
      await expect(layer.restore(other.state())).rejects.toMatchObject({ code: 'state-mismatch' });
      expect(await readWeights(layer)).toEqual(before);
      await expect(create(createF64(), options, frequencies.slice(1))).rejects.toThrow('29 frequencies for 30 classes');
      await expect(create(createF64(), options, frequencies.with(3, -1))).rejects.toThrow(
        'frequencies of class 3 is -1',
      );
      await expect(create(createF64(), options, frequencies.with(3, Number.NaN))).rejects.toMatchObject({
        code: 'non-finite',
      });
    },
  );
});
