/**
 * The error bounds that assembly/functions.ts and normal-distribution.ts state, in units in the last place of the right
 * result.
 */
import { createMatrixFrom, read, unary, unaryFunctions, type UnaryOperation } from '@vastmax/linalg-core';
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { describe, expect, it } from 'vitest';

interface Bound {
  readonly operation: UnaryOperation;
  readonly from: number;
  readonly to: number;
  readonly ulps: number;
  /** What an ulp is one of; the result unless given. */
  readonly of?: (x: number, result: number) => number;
}

const bounds: readonly Bound[] = [
  { operation: 'exp', from: -87, to: 88.5, ulps: 2 },
  { operation: 'log', from: 1e-30, to: 0.01, ulps: 3 },
  { operation: 'log', from: 0.01, to: 3, ulps: 3 },
  { operation: 'log', from: 3, to: 1e30, ulps: 3 },
  { operation: 'softplus', from: -80, to: 80, ulps: 4 },
  { operation: 'sigmoid', from: -80, to: 80, ulps: 4 },
  { operation: 'tanh', from: -0.7, to: 0.7, ulps: 4 },
  { operation: 'tanh', from: -12, to: 12, ulps: 4 },
  { operation: 'gelu', from: -8, to: 8, ulps: 4, of: (x) => x },
  { operation: 'geluDerivative', from: -8, to: 8, ulps: 4, of: () => 1 },
];

function unitInTheLastPlace(value: number): number {
  return 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(value)))) - 23);
}

describe('unary functions', () => {
  it.each(bounds)('$operation on [$from, $to] is within $ulps ulps', async ({ operation, from, to, ulps, of }) => {
    const backend = await createWasmBackend();
    const count = 40_001;
    const x = Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
    using matrix = createMatrixFrom(backend, 1, count, x);
    unary(operation, matrix, matrix);
    const got = await read(matrix);
    let worst = 0;
    let where = 0;
    for (let i = 0; i < count; i++) {
      const expected = unaryFunctions[operation](x[i]!);
      const error = Math.abs(got[i]! - expected) / unitInTheLastPlace(of?.(x[i]!, expected) ?? expected);
      if (error > worst) {
        worst = error;
        where = x[i]!;
      }
    }
    expect(worst, `${operation}(${where})`).toBeLessThanOrEqual(ulps);
    await backend.dispose();
  });

  it('keeps the sign and the digits of small numbers', async () => {
    const backend = await createWasmBackend();
    for (const operation of ['tanh', 'gelu'] as const) {
      const x = [1e-30, -1e-30, 1e-6, -1e-6, 0];
      using matrix = createMatrixFrom(backend, 1, x.length, x);
      unary(operation, matrix, matrix);
      const got = await read(matrix);
      x.forEach((value, i) => {
        const expected = unaryFunctions[operation](Math.fround(value));
        expect(Math.abs(got[i]! - expected), `${operation}(${value})`).toBeLessThanOrEqual(
          4 * 2 ** -23 * Math.abs(value),
        );
      });
    }
    await backend.dispose();
  });
});
