/**
 * Gradients of a body through an output layer: the layer's hidden gradient, sent down the tape, against central
 * differences of the loss.
 */
import { Tape } from '@vastmax/autodiff';
import { read, write, writeRows } from '@vastmax/linalg-core';
import type { ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import { createOutputLayer, type Body } from '@vastmax/lm-models';
import type { CsrRows } from '@vastmax/sparse-data';
import { expect } from 'vitest';
import { largestError, normals, rowsOf, valuesOf } from '../numbers.ts';

const step = 1e-5;

/** A state that stays as it is when the body moves on. */
export async function frozen(state: ModuleState): Promise<ModuleState> {
  const tensors = await Promise.all(
    state.tensors.map(async (source): Promise<TensorSource> => {
      const values = (await source.read(0, source.rows)).slice();
      return {
        ...source,
        read: (first, count) =>
          Promise.resolve(values.subarray(first * source.columns, (first + count) * source.columns)),
      };
    }),
  );
  return { configuration: structuredClone(state.configuration), tensors };
}

/** Biases start at 0, where a forgotten one would not show. */
export function shakeBiases<Batch>(body: Body<Batch>): void {
  for (const [i, { name, value }] of body.parameters.matrices.entries()) {
    if (/bias$/i.test(name)) write(normals(value.rows * value.columns, i, 0.3), value);
  }
}

/**
 * Largest relative error for each table and then each matrix of the body; dropout masks and carried states are the same
 * throughout.
 */
export async function gradientErrors<Batch>(
  body: Body<Batch>,
  batch: Batch,
  targets: CsrRows,
  loss = 'squared-error',
): Promise<number[]> {
  using layer = await createOutputLayer(
    body.backend,
    { features: body.features, frequencies: new Float64Array(targets.columns).fill(1) },
    { kind: 'factored', loss: { name: loss, options: {} }, initialScale: 0.7, seed: 1 },
  );
  using tape = new Tape(body.backend);
  const start = await frozen(body.state());
  const isParameter = (name: string): boolean =>
    [...body.parameters.tables, ...body.parameters.matrices].some((parameter) => parameter.name === name);
  const rewind = async (): Promise<void> => {
    tape.reset();
    const parameters = body.state().tensors.filter(({ name }) => isParameter(name));
    await body.restore({
      configuration: start.configuration,
      tensors: [...parameters, ...start.tensors.filter(({ name }) => !isParameter(name))],
    });
  };
  const meanLoss = async (): Promise<number> => {
    await rewind();
    const losses = await valuesOf(await layer.evaluate(body.forward(tape, batch, { training: true }).value, targets));
    return losses.reduce((sum, value) => sum + value, 0) / targets.rows;
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
  const { tables, matrices } = body.parameters;
  const expected: Float64Array[] = [];
  for (const { table } of tables)
    expected.push(
      await differences(await rowsOf(table), (values) => {
        writeRows(values, 0, table);
      }),
    );
  for (const { value } of matrices)
    expected.push(
      await differences(await valuesOf(value), (values) => {
        write(values, value);
      }),
    );

  await rewind();
  const hidden = body.forward(tape, batch, { training: true });
  const { hiddenGradient } = await layer.step(hidden.value, targets, { learningRate: 0.1 });
  tape.backward(hidden, hiddenGradient);
  const actual: Float64Array[] = [];
  for (const { table, gradients } of tables) {
    const gradient = new Float64Array(table.rows * table.columns);
    for (const { indices, rows } of gradients) {
      const values = await read(rows);
      for (let i = 0; i < values.length; i++) {
        gradient[indices.values[Math.floor(i / table.columns)]! * table.columns + (i % table.columns)]! += values[i]!;
      }
    }
    actual.push(gradient);
  }
  for (const { name, gradient } of matrices) {
    if (gradient === undefined) throw new Error(`${name} has no gradient`);
    actual.push(await valuesOf(gradient));
  }
  return actual.map((gradient, i) => {
    expect(Math.max(...expected[i]!.map(Math.abs))).toBeGreaterThan(1e-4);
    return largestError(gradient, expected[i]!);
  });
}
