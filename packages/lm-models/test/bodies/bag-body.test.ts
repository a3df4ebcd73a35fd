import { Tape } from '@vastmax/autodiff';
import { createPlainBackend, memoryDifference, type Backend } from '@vastmax/linalg-core';
import { BagBody, bagModelNames, bagModelShape, poolingNames, type BagBodyOptions } from '@vastmax/lm-models';
import { csrFromLists } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { largestError, rowsOf, valuesOf } from '../numbers.ts';
import { frozen, gradientErrors, shakeBiases } from './gradient-errors.ts';

const plain: BagBodyOptions = { inputs: 7, embedding: 3, seed: 4, embeddingScale: 0.5 };
const weighted = csrFromLists([[0, 3, 3], [], [6], [1, 2, 4, 5]], 7, [[0.5, 2, -1], [], [3], [1, 1, 2, -0.5]]);
const ones = csrFromLists([[0, 3, 3], [], [6], [1, 2, 4, 5]], 7);
const targets = csrFromLists([[1], [0, 2], [4], [3, 1]], 5, [[1], [0.5, 0.5], [1], [0.25, 0.75]]);

function createBody(backend: Backend, changes: Partial<BagBodyOptions> = {}): BagBody {
  const body = new BagBody(backend, { ...plain, ...changes });
  shakeBiases(body);
  return body;
}

async function hiddenOf(body: BagBody, inputs = weighted, training = false): Promise<Float64Array> {
  using tape = new Tape(body.backend);
  return valuesOf(body.forward(tape, { inputs }, { training }).value);
}

describe('BagBody', () => {
  it.each(poolingNames)('sums the rows of its table, weighed by %s', async (pooling) => {
    using body = createBody(createPlainBackend({ precision: 'f64' }), { pooling });
    const table = await rowsOf(body.embeddings.table);
    for (const inputs of [weighted, ones]) {
      const expected = new Float64Array(4 * 3);
      for (let row = 0; row < 4; row++) {
        const entries = Array.from(
          { length: inputs.offsets[row + 1]! - inputs.offsets[row]! },
          (_, i) => inputs.offsets[row]! + i,
        );
        const values = entries.map((entry) => inputs.values?.[entry] ?? 1);
        const norms = { sum: 1, mean: values.reduce((sum, v) => sum + Math.abs(v), 0), unit: Math.hypot(...values) };
        for (const [i, entry] of entries.entries()) {
          for (let column = 0; column < 3; column++)
            expected[row * 3 + column]! += (values[i]! / norms[pooling]) * table[inputs.indices[entry]! * 3 + column]!;
        }
      }
      expect(largestError(await hiddenOf(body, inputs), expected)).toBeLessThan(1e-14);
    }
  });

  it.each<Partial<BagBodyOptions>>([
    {},
    { pooling: 'sum' },
    { pooling: 'unit', activation: 'relu' },
    { activation: 'tanh', hidden: [4, 2] },
    { hidden: [4] },
    { pooling: 'unit', activation: 'gelu', hidden: [6], dropout: 0.3, inputDropout: 0.2 },
  ])('has the gradients of finite differences: %j', async (changes) => {
    const backend = createPlainBackend({ precision: 'f64' });
    for (const loss of ['squared-error', 'taylor-softmax']) {
      using body = createBody(backend, changes);
      for (const error of await gradientErrors(body, { inputs: weighted }, targets, loss))
        expect(error).toBeLessThan(1e-8);
    }
  });

  it('drops inputs and activations in training only, scaled so that the mean stays', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const many = csrFromLists([Array.from({ length: 2000 }, (_, i) => i % 7)], 7);
    using body = createBody(backend, { pooling: 'mean', inputDropout: 0.4 });
    using without = createBody(backend, { pooling: 'mean' });
    const full = await hiddenOf(without, many);
    expect(await hiddenOf(body, many)).toEqual(full);
    const dropped = await hiddenOf(body, many, true);
    expect(dropped).not.toEqual(full);
    expect(largestError(dropped, full)).toBeLessThan(0.05);
    expect(await hiddenOf(body, many, true)).not.toEqual(dropped);
    using hiddenDropped = createBody(backend, { dropout: 0.5, embedding: 60 });
    const share = (await hiddenOf(hiddenDropped, many, true)).filter((value) => value === 0).length / 60;
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.75);
  });

  it('saves and restores weights and random state, and refuses another model', async () => {
    const backend = createPlainBackend();
    const options = { activation: 'tanh', hidden: [4], inputDropout: 0.3, dropout: 0.3 } as const;
    using body = createBody(backend, options);
    await hiddenOf(body, weighted, true);
    const saved = await frozen(body.state());
    expect(saved.tensors.map(({ name }) => name)).toEqual(['embeddings', 'bias', 'hidden.0.weights', 'hidden.0.bias']);
    using resumed = createBody(backend, { ...options, seed: 99 });
    await resumed.restore(saved);
    expect(await hiddenOf(resumed, weighted, true)).toEqual(await hiddenOf(body, weighted, true));
    const attempts: [Partial<BagBodyOptions>, string][] = [
      [{ ...options, pooling: 'unit' }, "bag model: 'pooling' is mean in the checkpoint, unit in the model"],
      [{ ...options, activation: 'relu' }, "bag model: 'activation' is tanh in the checkpoint, relu in the model"],
      [{ ...options, inputs: 8 }, "tensor 'embeddings' is 7×3 in the checkpoint, the model's is 8×3"],
      [{ ...options, hidden: [4, 4] }, "the checkpoint has no tensor 'hidden.1.weights'"],
    ];
    for (const [changes, message] of attempts) {
      using other = createBody(backend, changes);
      const before = await rowsOf(other.embeddings.table);
      await expect(other.restore(saved)).rejects.toMatchObject({
        code: 'state-mismatch',
        message: expect.stringContaining(message),
      });
      expect(await rowsOf(other.embeddings.table)).toEqual(before);
    }
  });

  it('counts its parameters and hands everything back', async () => {
    const backend = createPlainBackend();
    const before = backend.memory();
    {
      using body = createBody(backend, { activation: 'relu', hidden: [4] });
      expect([body.features, body.parameterCount]).toEqual([4, 7 * 3 + 3 + 3 * 4 + 4]);
      await hiddenOf(body);
    }
    expect(memoryDifference(backend.memory(), before)).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
  });

  it('creates no handle once warm, although minibatches vary', () => {
    const backend = createPlainBackend();
    using body = createBody(backend);
    using tape = new Tape(backend);
    const run = (rows: number): void => {
      tape.reset();
      tape.backward(
        body.forward(tape, {
          inputs: csrFromLists(
            Array.from({ length: rows }, (_, i) => [i % 7, (2 * i) % 7]),
            7,
          ),
        }),
      );
    };
    for (const rows of [9, 3, 12, 9]) run(rows);
    const warm = backend.memory();
    for (const rows of [1, 12, 5, 11]) run(rows);
    expect(backend.memory()).toEqual(warm);
  });

  it.each<[Partial<BagBodyOptions>, string]>([
    [{ inputs: 0 }, 'bag model: inputs must be a whole number of at least 1, got 0'],
    [{ embedding: 0.5 }, 'bag model: embedding must be a whole number of at least 1, got 0.5'],
    [{ hidden: [3, -1] }, 'bag model: hidden layer 2 must be a whole number of at least 1, got -1'],
    [{ pooling: 'max' as 'mean' }, "bag model: no pooling is called 'max'; there are sum, mean, unit"],
    [
      { activation: 'swish' as 'tanh' },
      "bag model: no activation is called 'swish'; there are tanh, relu, gelu, sigmoid, identity",
    ],
    [{ dropout: 1 }, 'bag model: dropout must be at least 0 and less than 1, got 1'],
    [{ inputDropout: -0.1 }, 'bag model: inputDropout must be at least 0 and less than 1, got -0.1'],
    [{ embeddingScale: 0 }, 'bag model: embeddingScale must be a finite number above 0, got 0'],
  ])('refuses %j and leaves nothing behind', (changes, message) => {
    const backend = createPlainBackend();
    const before = backend.memory();
    expect(() => new BagBody(backend, { ...plain, ...changes })).toThrow(message);
    expect(backend.memory()).toEqual(before);
  });

  it('gives the zero vector, or that of the bias, for examples without inputs', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using body = createBody(backend);
    expect([...(await hiddenOf(body, csrFromLists([[], []], 7)))]).toEqual([0, 0, 0, 0, 0, 0]);
    using biased = createBody(backend, { activation: 'tanh' });
    const bias = await valuesOf(biased.parameters.matrices[0]!.value);
    expect(
      largestError(await hiddenOf(biased, csrFromLists([[], []], 7)), [...bias, ...bias].map(Math.tanh)),
    ).toBeLessThan(1e-15);
  });

  it('refuses an input beyond its table', () => {
    const backend = createPlainBackend();
    using body = createBody(backend);
    using tape = new Tape(backend);
    expect(() => body.forward(tape, { inputs: csrFromLists([[7]], 8) })).toThrow(
      expect.objectContaining({ code: 'index-out-of-range' }),
    );
  });
});

describe('bagModelShape', () => {
  it.each(bagModelNames)('makes a body for %s', (name) => {
    using body = new BagBody(createPlainBackend(), { ...plain, ...bagModelShape(name) });
    expect(body.features).toBe(3);
  });

  it('names what there is when asked for another one', () => {
    for (const name of ['glove', 'constructor'])
      expect(() => bagModelShape(name)).toThrow(
        `no bag model is called '${name}'; there are classifier, text-classifier, autoencoder, cbow`,
      );
  });
});
