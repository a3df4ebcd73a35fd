import { describe, expect, it } from 'vitest';
import {
  axpy,
  createPlainBackend,
  gatherRows,
  gemm,
  isBackend,
  isLinalgError,
  LinalgError,
  Scope,
  solve,
  writeIndices,
  type PlainBackendOptions,
} from '../src/index.ts';

const backend = createPlainBackend();

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('LinalgError', () => {
  it('is recognised across copies of the package, by name and code', () => {
    expect(isLinalgError(new LinalgError('shape', 'x'))).toBe(true);
    expect(isLinalgError(Object.assign(new Error('x'), { name: 'LinalgError', code: 'shape' }))).toBe(true);
    expect(isLinalgError(new Error('x'))).toBe(false);
    expect(isLinalgError({ name: 'LinalgError', code: 'shape' })).toBe(false);
  });

  it('has messages that say what was wrong, both values, and what would be right', () => {
    using scope = new Scope(backend);
    const other = createPlainBackend({ precision: 'f64' });
    using elsewhere = other.createMatrix(3, 3);
    const disposed = backend.createMatrix(2, 2);
    disposed[Symbol.dispose]();
    const indices = scope.indices(2);
    writeIndices(Int32Array.of(4, 9), indices);
    const square = scope.matrix(3, 3);
    const messages: [code: string, message: string, action: () => unknown][] = [
      [
        'shape',
        'gemm: inner dimensions differ: a is 3×4, b is 5×2 transposed; transpose one or check its shape',
        () => gemm(scope.matrix(3, 4), scope.matrix(5, 2), scope.matrix(3, 5), { transposeB: true }),
      ],
      ['shape', 'gemm: out is 2×2, expected 3×3', () => gemm(square, scope.matrix(3, 3), scope.matrix(2, 2))],
      [
        'aliasing',
        'gemm: a and out are the same handle; give out a matrix of its own',
        () => gemm(square, scope.matrix(3, 3), square),
      ],
      [
        'backend-mismatch',
        "gemm: a lives on 'plain f64', out on 'plain f32'; read it and write it to the other backend",
        () => gemm(elsewhere, square, scope.matrix(3, 3)),
      ],
      ['disposed', 'axpy: x was disposed', () => axpy(1, disposed, square)],
      ['bad-option', 'axpy: alpha must be a finite number, got NaN', () => axpy(Number.NaN, square, square)],
      [
        'index-out-of-range',
        'gatherRows: index 9 is out of range, the table has 9 rows (0 to 8)',
        () => gatherRows(scope.table(9, 1), indices, scope.matrix(2, 1)),
      ],
      [
        'aliasing',
        'solve: reciprocalCondition and out are the same handle; give out a matrix of its own',
        () => ((one) => solve(one, scope.matrix(1, 1), scope.matrix(1, 1), one))(scope.matrix(1, 1)),
      ],
      [
        'bad-option',
        "createPlainBackend: precision must be 'f32' or 'f64', got 'f16'",
        () => createPlainBackend({ precision: 'f16' } as unknown as PlainBackendOptions),
      ],
    ];
    for (const [code, message, action] of messages)
      expect(errorOf(action)).toMatchObject({ name: 'LinalgError', code, message });
  });

  it('says that two backends of one name are two instances', () => {
    using scope = new Scope(backend);
    using elsewhere = createPlainBackend().createMatrix(2, 2);
    expect(() => axpy(1, elsewhere, scope.matrix(2, 2))).toThrow(
      "x lives on 'plain f32', out on 'plain f32' (two instances)",
    );
  });
});

describe('isBackend', () => {
  it('goes by the brand', () => {
    expect(isBackend(backend)).toBe(true);
    expect(isBackend({ [Symbol.for('vastmax.backend')]: true })).toBe(true);
    expect(isBackend({})).toBe(false);
    expect(isBackend(null)).toBe(false);
  });
});
