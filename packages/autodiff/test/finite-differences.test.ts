import { createPlainBackend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { exp, matmul, multiply, softmax, sum, tanh, type Tape, type Variable } from '../src/index.ts';
import { compareWithFiniteDifferences } from '../src/testing.ts';

const backend = createPlainBackend({ precision: 'f64' });
const input = { rows: 2, columns: 3, values: [0.3, -1.2, 0.7, 2, -0.4, 1.1] };

/** tanh whose backward forgets a factor. */
function wrongTanh(x: Variable): Variable {
  const { tape } = x;
  return tape.record(tanh(x).value, [x], (_gradient, sink) => {
    sink.passThrough(x, 0.9);
  });
}

describe('compareWithFiniteDifferences', () => {
  it('accepts a right gradient and finds a wrong one, input by input', async () => {
    const build = (_tape: Tape, [a, b]: [Variable, Variable]): Variable => multiply(tanh(a), wrongTanh(b));
    const [right, wrong] = await compareWithFiniteDifferences(backend, build, [input, input]);
    expect(right).toBeLessThan(1e-8);
    expect(wrong).toBeGreaterThan(0.01);
  });

  it('finds a gradient that is missing', async () => {
    const build = (tape: Tape, [x]: [Variable]): Variable => exp(tape.constant(x.value));
    const [error] = await compareWithFiniteDifferences(backend, build, [input]);
    expect(error).toBe(1);
  });

  it('reports 0 where the gradient is 0 but for rounding', async () => {
    const [error] = await compareWithFiniteDifferences(backend, (_tape, [x]) => sum(softmax(x)), [input]);
    expect(error).toBe(0);
  });

  it('reports NaN for a gradient of NaN', async () => {
    const poisoned = (_tape: Tape, [x]: [Variable]): Variable =>
      x.tape.record(tanh(x).value, [x], (gradient, sink) => {
        const contribution = x.tape.allocate(gradient.rows, gradient.columns);
        backend.fill(Number.NaN, contribution);
        sink.add(x, contribution);
      });
    expect(await compareWithFiniteDifferences(backend, poisoned, [input])).toEqual([Number.NaN]);
  });

  it('leaves nothing behind', async () => {
    const before = backend.memory();
    await compareWithFiniteDifferences(backend, (_tape, [x]) => matmul(x, x, { transposeB: true }), [input]);
    expect(backend.memory()).toEqual(before);
  });

  it('rejects an f32 backend, a bad step and values that do not fill an input', async () => {
    const identity = (_tape: Tape, [x]: [Variable]): Variable => x;
    await expect(compareWithFiniteDifferences(createPlainBackend(), identity, [input])).rejects.toMatchObject({
      code: 'bad-option',
    });
    await expect(compareWithFiniteDifferences(backend, identity, [input], { stepScale: 0 })).rejects.toMatchObject({
      code: 'bad-option',
    });
    await expect(
      compareWithFiniteDifferences(backend, identity, [{ rows: 2, columns: 2, values: [1] }]),
    ).rejects.toMatchObject({ code: 'shape', message: expect.stringContaining('input 0 is 2×2 with 1 values') });
  });
});
