import { Tape } from '@vastmax/autodiff';
import { createPlainBackend, memoryDifference, read, write, type Backend } from '@vastmax/linalg-core';
import { activationNames, NgramBody, type NgramBodyOptions } from '@vastmax/lm-models';
import { describe, expect, it } from 'vitest';
import { largestError, normals, rowsOf, valuesOf } from '../numbers.ts';
import { naiveTwinOf } from './naive-ngram.ts';

const options: NgramBodyOptions = { words: 6, order: 3, embedding: 2, hidden: [4], seed: 5 };
const contexts = Int32Array.of(0, 1, 2, 5, 5, 5, 3, 0, 3, 4, 2, 1);
const examples = 4;

function createBody(backend: Backend, changes: Partial<NgramBodyOptions> = {}): NgramBody {
  const body = new NgramBody(backend, { ...options, ...changes });
  // Biases start at 0, where a forgotten one would not show.
  for (const [i, { name, value }] of body.parameters.matrices.entries())
    if (name.endsWith('bias')) write(normals(value.columns, i), value);
  return body;
}

async function hiddenOf(body: NgramBody, training = false): Promise<Float64Array> {
  using tape = new Tape(body.backend);
  return valuesOf(body.forward(tape, { contexts, size: examples }, { training }).value);
}

describe('NgramBody', () => {
  it.each(activationNames)('computes what naive loops compute, with %s', async (activation) => {
    using body = createBody(createPlainBackend({ precision: 'f64' }), { activation });
    const twin = await naiveTwinOf(body);
    expect(largestError(await hiddenOf(body), twin.forward(contexts))).toBeLessThan(1e-12);
  });

  it('computes what naive loops compute, with two hidden layers', async () => {
    using body = createBody(createPlainBackend({ precision: 'f64' }), { hidden: [5, 3] });
    const twin = await naiveTwinOf(body);
    expect(largestError(await hiddenOf(body), twin.forward(contexts))).toBeLessThan(1e-12);
    expect(body.features).toBe(3);
    expect(body.parameterCount).toBe(6 * 2 + (6 * 5 + 5) + (5 * 3 + 3));
  });

  it('reads as many examples as it is told from a longer list of contexts', async () => {
    using body = createBody(createPlainBackend({ precision: 'f64' }));
    const all = await hiddenOf(body);
    using tape = new Tape(body.backend);
    const two = body.forward(tape, { contexts, size: 2 });
    expect([two.rows, two.columns]).toEqual([2, 4]);
    expect(await valuesOf(two.value)).toEqual(all.subarray(0, 8));
  });

  it('reads the last words of prompts, padded in front, or says which is too short', async () => {
    using body = createBody(createPlainBackend({ precision: 'f64' }));
    using tape = new Tape(body.backend);
    const prompts = [[4, 0, 1, 2], [5], [], Int32Array.of(3, 0, 3)];
    const hidden = await valuesOf(body.forwardPrompts(tape, prompts, { paddingId: 5 }).value);
    const padded = Int32Array.of(0, 1, 2, 5, 5, 5, 5, 5, 5, 3, 0, 3);
    expect(hidden).toEqual(await valuesOf(body.forward(tape, { contexts: padded, size: 4 }).value));
    expect(await valuesOf(body.forwardPrompts(tape, [[0, 1, 2]]).value)).toEqual(hidden.subarray(0, 4));
    expect(() => body.forwardPrompts(tape, [[0, 1, 2], [3]])).toThrow(
      expect.objectContaining({
        code: 'bad-option',
        message: 'n-gram model: prompt 1 has 1 words, the model reads 3; give a paddingId',
      }),
    );
  });

  it('starts from its seed: embeddings of the given deviation, sums of variance 1', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const large = { words: 400, order: 2, embedding: 16, hidden: [50], embeddingScale: 0.2 };
    using one = new NgramBody(backend, { ...large, seed: 1 });
    using same = new NgramBody(backend, { ...large, seed: 1 });
    using other = new NgramBody(backend, { ...large, seed: 2 });
    const embeddings = await rowsOf(one.embeddings.table);
    expect(await rowsOf(same.embeddings.table)).toEqual(embeddings);
    expect(await rowsOf(other.embeddings.table)).not.toEqual(embeddings);
    const deviation = (values: Float64Array): number =>
      Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    expect(deviation(embeddings)).toBeCloseTo(0.2, 2);
    const weights = await valuesOf(one.parameters.matrices[0]!.value);
    expect(deviation(weights) * 0.2 * Math.sqrt(32)).toBeCloseTo(1, 1);
  });

  it('drops activations in training only, by its seed, and saves where the random numbers stand', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using body = createBody(backend, { dropout: 0.5, hidden: [40] });
    using same = createBody(backend, { dropout: 0.5, hidden: [40] });
    using without = createBody(backend, { hidden: [40] });
    const plain = await hiddenOf(without);
    expect(await hiddenOf(body)).toEqual(plain);
    const first = await hiddenOf(body, true);
    expect(await hiddenOf(same, true)).toEqual(first);
    let dropped = 0;
    for (const [i, value] of first.entries()) {
      if (value === 0) dropped++;
      else expect(value).toBeCloseTo(2 * plain[i]!, 14);
    }
    expect(dropped / first.length).toBeGreaterThan(0.35);
    expect(dropped / first.length).toBeLessThan(0.65);
    const saved = JSON.parse(JSON.stringify(body.state().configuration)) as ReturnType<
      NgramBody['state']
    >['configuration'];
    const second = await hiddenOf(body, true);
    expect(second).not.toEqual(first);
    using resumed = createBody(backend, { dropout: 0.5, hidden: [40], seed: 77 });
    await resumed.restore({ configuration: saved, tensors: body.state().tensors });
    expect(await hiddenOf(resumed, true)).toEqual(second);
  });

  it('saves and restores every weight bit for bit, and refuses other shapes', async () => {
    const backend = createPlainBackend({ precision: 'f32' });
    using body = createBody(backend, { hidden: [4, 3] });
    using resumed = createBody(backend, { hidden: [4, 3], seed: 99 });
    await resumed.restore(body.state());
    expect(body.state().tensors.map(({ name }) => name)).toEqual([
      'embeddings',
      'hidden.0.weights',
      'hidden.0.bias',
      'hidden.1.weights',
      'hidden.1.bias',
    ]);
    for (const [i, tensor] of body.state().tensors.entries()) {
      expect(await resumed.state().tensors[i]!.read(0, tensor.rows)).toEqual(await tensor.read(0, tensor.rows));
    }
    expect(await hiddenOf(resumed)).toEqual(await hiddenOf(body));
    using other = createBody(backend, { hidden: [5, 3] });
    await expect(other.restore(body.state())).rejects.toMatchObject({
      code: 'state-mismatch',
      message: "tensor 'hidden.0.weights' is 6×4 in the checkpoint, the model's is 6×5",
    });
    using shallow = createBody(backend, { hidden: [4] });
    await expect(body.restore(shallow.state())).rejects.toMatchObject({
      code: 'state-mismatch',
      message: expect.stringContaining(
        "no tensor 'hidden.1.weights'; it has embeddings, hidden.0.weights, hidden.0.bias",
      ),
    });
    using gelu = createBody(backend, { hidden: [4, 3], activation: 'gelu', seed: 5 });
    const before = await gelu.state().tensors[0]!.read(0, 3);
    await expect(gelu.restore(body.state())).rejects.toMatchObject({
      code: 'state-mismatch',
      message: "n-gram model: 'activation' is tanh in the checkpoint, gelu in the model",
    });
    expect(await gelu.state().tensors[0]!.read(0, 3)).toEqual(before);
  });

  it('reads a tensor of its state by ranges of rows', async () => {
    using body = createBody(createPlainBackend({ precision: 'f32' }));
    for (const tensor of body.state().tensors) {
      const all = await tensor.read(0, tensor.rows);
      const last = await tensor.read(tensor.rows - 1, 1);
      expect(Array.from(last.subarray(0, tensor.columns))).toEqual(
        Array.from(all.subarray((tensor.rows - 1) * tensor.columns)),
      );
    }
  });

  it('hands everything back', async () => {
    const backend = createPlainBackend({ precision: 'f32' });
    const before = backend.memory();
    {
      using body = createBody(backend);
      using tape = new Tape(backend);
      await read(body.forward(tape, { contexts, size: examples }).value);
    }
    expect(memoryDifference(backend.memory(), before)).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
  });

  it.each<[Partial<NgramBodyOptions>, string]>([
    [{ words: 0 }, 'n-gram model: words must be a whole number of at least 1, got 0'],
    [{ order: 1.5 }, 'n-gram model: order must be a whole number of at least 1, got 1.5'],
    [{ embedding: -2 }, 'n-gram model: embedding must be a whole number of at least 1, got -2'],
    [{ hidden: [4, 0] }, 'n-gram model: hidden layer 2 must be a whole number of at least 1, got 0'],
    [{ hidden: [] }, 'n-gram model: hidden must name at least one layer width, got none'],
    [
      { activation: 'swish' as 'tanh' },
      "n-gram model: no activation is called 'swish'; there are tanh, relu, gelu, sigmoid",
    ],
    [{ dropout: 1 }, 'n-gram model: dropout must be at least 0 and less than 1, got 1'],
    [{ dropout: Number.NaN }, 'n-gram model: dropout must be at least 0 and less than 1, got NaN'],
    [{ embeddingScale: 0 }, 'n-gram model: embeddingScale must be a finite number above 0, got 0'],
    [{ embeddingScale: Number.NaN }, 'n-gram model: embeddingScale must be a finite number above 0, got NaN'],
    [{ seed: -3 }, 'seed'],
  ])('refuses %j and leaves nothing behind', (changes, message) => {
    const backend = createPlainBackend();
    const before = backend.memory();
    expect(() => new NgramBody(backend, { ...options, ...changes })).toThrow(message);
    expect(backend.memory()).toEqual(before);
  });
});
