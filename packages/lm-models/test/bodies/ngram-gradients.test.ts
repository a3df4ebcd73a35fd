/**
 * Gradients of the whole body through a real factored layer: its hidden gradient, sent down the tape, against central
 * differences.
 */
import { Tape } from '@vastmax/autodiff';
import { createPlainBackend, read, write, writeRows } from '@vastmax/linalg-core';
import { activationNames, NgramBody, type NgramBodyOptions } from '@vastmax/lm-models';
import { singleTargets } from '@vastmax/sparse-data';
import { createBuiltInLoss, createFactoredOutputLayer } from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';
import { largestError, normals, rowsOf, valuesOf } from '../numbers.ts';

const words = 5;
const contexts = Int32Array.of(0, 1, 4, 4, 3, 0, 1, 3);
const targets = singleTargets(Int32Array.of(2, 0, 2, 4), words);
const step = 1e-5;

/** Largest relative errors of the gradients of the embeddings and of each matrix. */
async function gradientErrors(changes: Partial<NgramBodyOptions>, loss: string): Promise<number[]> {
  const backend = createPlainBackend({ precision: 'f64' });
  using body = new NgramBody(backend, { words, order: 2, embedding: 2, hidden: [3], embeddingScale: 0.5, ...changes });
  for (const [i, { name, value }] of body.parameters.matrices.entries())
    if (name.endsWith('bias')) write(normals(value.columns, i, 0.3), value);
  using layer = await createFactoredOutputLayer(backend, {
    classes: words,
    features: body.features,
    loss: createBuiltInLoss(loss),
    initialScale: 0.7,
  });
  using tape = new Tape(backend);
  const start = body.state();
  /** Rewinds the dropout to where it was; the weights are written over themselves. */
  const rewind = (): Promise<void> =>
    body.restore({ configuration: start.configuration, tensors: body.state().tensors });
  const meanLoss = async (): Promise<number> => {
    await rewind();
    tape.reset();
    const losses = await valuesOf(
      await layer.evaluate(body.forward(tape, { contexts, size: 4 }, { training: true }).value, targets),
    );
    return losses.reduce((sum, value) => sum + value, 0) / 4;
  };
  const differences = async (values: Float64Array, store: (values: Float64Array) => void): Promise<Float64Array> => {
    const out = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      const sides: number[] = [];
      for (const side of [value + step, value - step]) {
        values[i] = side;
        store(values);
        sides.push(await meanLoss());
      }
      values[i] = value;
      store(values);
      out[i] = (sides[0]! - sides[1]!) / (2 * step);
    }
    return out;
  };
  const expected = [
    await differences(await rowsOf(body.embeddings.table), (values) => {
      writeRows(values, 0, body.embeddings.table);
    }),
  ];
  for (const { value } of body.parameters.matrices) {
    expected.push(
      await differences(await valuesOf(value), (values) => {
        write(values, value);
      }),
    );
  }

  await rewind();
  tape.reset();
  const hidden = body.forward(tape, { contexts, size: 4 }, { training: true });
  const { hiddenGradient } = await layer.step(hidden.value, targets, { learningRate: 0.1 });
  tape.backward(hidden, hiddenGradient);
  const embeddingGradient = new Float64Array(words * 2);
  for (const { indices, rows } of body.embeddings.gradients) {
    const values = await read(rows);
    for (let i = 0; i < values.length; i++)
      embeddingGradient[indices.values[Math.floor(i / 2)]! * 2 + (i % 2)]! += values[i]!;
  }
  const actual: Float64Array[] = [embeddingGradient];
  for (const { name, gradient } of body.parameters.matrices) {
    if (gradient === undefined) throw new Error(`${name} has no gradient`);
    actual.push(await valuesOf(gradient));
  }
  return actual.map((gradient, i) => {
    expect(Math.max(...expected[i]!.map(Math.abs))).toBeGreaterThan(1e-3);
    return largestError(gradient, expected[i]!);
  });
}

describe('gradients of the body through the factored layer', () => {
  it.each(activationNames)('agree with finite differences for %s', async (activation) => {
    for (const error of await gradientErrors({ activation }, 'spherical-softmax')) expect(error).toBeLessThan(1e-8);
  });

  it.each(['z-loss', 'taylor-softmax', 'squared-error'])('agree for the %s and two layers', async (loss) => {
    for (const error of await gradientErrors({ hidden: [4, 3] }, loss)) expect(error).toBeLessThan(1e-8);
  });

  it('agree under dropout with its masks held', async () => {
    for (const error of await gradientErrors({ hidden: [6, 5], dropout: 0.3 }, 'squared-error'))
      expect(error).toBeLessThan(1e-8);
  });

  it('name only the words that were seen', () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using body = new NgramBody(backend, { words, order: 2, embedding: 2, hidden: [3] });
    using tape = new Tape(backend);
    tape.backward(body.forward(tape, { contexts, size: 4 }));
    expect(
      body.embeddings.gradients.map(({ indices }) => Array.from(indices.values.subarray(0, indices.count))),
    ).toEqual([[...contexts]]);
  });
});
