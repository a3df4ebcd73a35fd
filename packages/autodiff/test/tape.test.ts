import {
  axpy,
  createMatrixFrom,
  createPlainBackend,
  fill,
  read,
  Scope,
  unary,
  binary,
  type Matrix,
} from '@vastmax/linalg-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  add,
  concatColumns,
  divide,
  exp,
  layerNorm,
  matmul,
  multiply,
  negate,
  reshape,
  rowDot,
  scale,
  square,
  subtract,
  sum,
  Tape,
  tanh,
  type Variable,
} from '../src/index.ts';
import { createCountingBackend } from './counting-backend.ts';

const backend = createPlainBackend({ precision: 'f64' });
let scope: Scope;
let tape: Tape;

beforeEach(() => {
  scope = new Scope(backend);
  tape = scope.own(new Tape(backend));
});

afterEach(() => {
  scope[Symbol.dispose]();
  expect(backend.memory()).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
});

function matrix(rows: number, columns: number, ...values: number[]): Matrix {
  return scope.own(createMatrixFrom(backend, rows, columns, values));
}

async function gradientOf(variable: Variable): Promise<number[] | undefined> {
  return variable.gradient === undefined ? undefined : Array.from(await read(variable.gradient));
}

describe('backward', () => {
  it('adds the gradients of a variable that is used twice', async () => {
    const x = tape.variable(matrix(1, 2, 3, -2));
    tape.backward(add(multiply(x, x), x));
    expect(await gradientOf(x)).toEqual([7, -3]);
  });

  it('leaves the gradient undefined before and where it does not reach', () => {
    const x = tape.variable(matrix(1, 1, 3));
    const unused = tape.variable(matrix(1, 1, 3));
    const aside = tanh(x);
    const output = square(x);
    expect(x.gradient).toBeUndefined();
    tape.backward(output);
    expect(x.gradient).toBeDefined();
    expect(unused.gradient).toBeUndefined();
    expect(aside.gradient).toBeUndefined();
  });

  it('starts from ones, or from a seed that the caller may overwrite afterwards', async () => {
    const x = tape.variable(matrix(1, 2, 3, 4));
    const output = square(x);
    const seed = matrix(1, 2, 1, 10);
    tape.backward(output, seed);
    fill(Number.NaN, seed);
    expect(await gradientOf(x)).toEqual([6, 80]);
    expect(await gradientOf(output)).toEqual([1, 10]);
  });

  it('adds up over several calls, for leaves and intermediates, without sending an earlier one down again', async () => {
    const x = tape.variable(matrix(1, 2, 1, 2));
    const middle = square(x);
    const first = scale(middle, 3);
    const second = add(middle, middle);
    tape.backward(first);
    expect(await gradientOf(x)).toEqual([6, 12]);
    tape.backward(second);
    expect(await gradientOf(x)).toEqual([10, 20]);
    expect(await gradientOf(middle)).toEqual([5, 5]);
    tape.backward(middle);
    expect(await gradientOf(x)).toEqual([12, 24]);
    expect(await gradientOf(first)).toEqual([1, 1]);
  });

  it('adds up to the same output called twice', async () => {
    const x = tape.variable(matrix(1, 1, 3));
    const output = add(negate(x), square(x));
    tape.backward(output);
    tape.backward(output, matrix(1, 1, 10));
    expect(await gradientOf(x)).toEqual([55]);
    expect(await gradientOf(output)).toEqual([11]);
  });

  it('may start at a leaf and does nothing for a constant', async () => {
    const x = tape.variable(matrix(1, 2, 3, 4));
    tape.backward(x);
    tape.backward(x, matrix(1, 2, 5, 6));
    expect(await gradientOf(x)).toEqual([6, 7]);
    const constant = tape.constant(matrix(1, 2, 3, 4));
    const derived = exp(constant);
    tape.backward(derived);
    expect([constant.requiresGradient, derived.requiresGradient]).toEqual([false, false]);
    expect([constant.gradient, derived.gradient]).toEqual([undefined, undefined]);
  });

  it('gives each leaf a gradient of its own, though intermediates share', async () => {
    const x = tape.variable(matrix(1, 2, 3, 4));
    const y = tape.variable(matrix(1, 2, 5, 6));
    const output = add(x, y);
    tape.backward(output);
    expect(x.gradient).not.toBe(y.gradient);
    if (x.gradient !== undefined) fill(0, x.gradient);
    expect(await gradientOf(y)).toEqual([1, 1]);
    expect(await gradientOf(output)).toEqual([1, 1]);
  });

  it('does not change a gradient on loan when the lender gets more', async () => {
    const x = tape.variable(matrix(1, 1, 2));
    const left = square(x);
    const right = scale(x, 3);
    const total = add(left, right);
    tape.backward(total);
    tape.backward(total, matrix(1, 1, 10));
    for (const variable of [total, left, right]) expect(await gradientOf(variable)).toEqual([11]);
    expect(await gradientOf(x)).toEqual([77]);
  });

  it('copies a shared gradient before it adds to it', async () => {
    const x = tape.variable(matrix(1, 1, 2));
    const left = square(x);
    const right = scale(x, 3);
    const total = add(left, right);
    // left gets the gradient of total on loan, then one more contribution; right must not see it.
    const output = add(total, multiply(left, left));
    tape.backward(output);
    expect(await gradientOf(total)).toEqual([1]);
    expect(await gradientOf(right)).toEqual([1]);
    expect(await gradientOf(left)).toEqual([9]);
    expect(await gradientOf(x)).toEqual([39]);
    tape.backward(subtract(left, right));
    expect(await gradientOf(right)).toEqual([0]);
    expect(await gradientOf(left)).toEqual([10]);
    expect(await gradientOf(total)).toEqual([1]);
    expect(await gradientOf(x)).toEqual([40]);
  });

  it('does no work for constants and skips what the output does not depend on', () => {
    const { backend: counting, counts } = createCountingBackend();
    using own = new Scope(counting);
    const steps = own.own(new Tape(counting));
    const data = steps.constant(own.matrix(4, 3));
    const weights = steps.variable(own.matrix(3, 2));
    const output = matmul(data, weights);
    matmul(tanh(output), steps.variable(own.matrix(2, 5)));
    const before = { ...counts };
    steps.backward(output);
    expect(counts.gemm - before.gemm).toBe(1);
    // The seed, the one product.
    expect(counts.kernels - before.kernels).toBe(2);
  });

  it.each<[string, (...inputs: [Variable, Variable, Variable]) => Variable]>([
    ['matmul', (a, b) => matmul(a, b)],
    ['matmul transposed', (a, b) => matmul(a, b, { transposeA: true, transposeB: true })],
    ['add', (a, b) => add(a, b)],
    ['subtract', (a, b) => subtract(a, b)],
    ['multiply', (a, b) => multiply(a, b)],
    ['divide', (a, b) => divide(a, b)],
    ['add, broadcast', (a, _b, c) => add(a, c)],
    ['subtract, broadcast', (a, _b, c) => subtract(c, a)],
    ['subtract, the second broadcast', (a, _b, c) => subtract(a, c)],
    ['multiply, broadcast', (a, _b, c) => multiply(c, a)],
    ['divide, broadcast', (a, _b, c) => divide(c, a)],
    ['rowDot', (a, b) => rowDot(a, b)],
    ['concatColumns', (a, b) => concatColumns([a, b])],
    ['layerNorm', (a, _b, c) => layerNorm(a, c, a.tape.constant(c.value))],
    ['layerNorm bias', (a, _b, c) => layerNorm(a, a.tape.constant(c.value), c)],
  ])('%s does less for each operand that is a constant', (_name, operation) => {
    const { backend: counting, counts } = createCountingBackend();
    using own = new Scope(counting);
    const steps = own.own(new Tape(counting));
    const values = [own.matrix(3, 3), own.matrix(3, 3), own.matrix(1, 3)] as const;
    const backwardKernels = (constant: number | undefined): number => {
      const [a, b, c] = values.map((value, i) => (i === constant ? steps.constant(value) : steps.variable(value)));
      if (a === undefined || b === undefined || c === undefined) throw new Error('three inputs');
      const output = operation(a, b, c);
      const before = counts.kernels;
      steps.backward(output);
      const reached = [a, b, c].map(({ gradient }) => gradient !== undefined);
      if (constant !== undefined) expect(reached[constant]).toBe(false);
      return reached.filter(Boolean).length * 1000 + counts.kernels - before;
    };
    const all = backwardKernels(undefined);
    const without = [0, 1, 2].map(backwardKernels);
    // Two of the three are operands; the other one changes nothing.
    expect(without.filter((kernels) => kernels % 1000 < all % 1000)).toHaveLength(2);
    expect(without.filter((kernels) => kernels === all)).toHaveLength(1);
  });

  it('passes gradients through sums without a copy', () => {
    const { backend: counting, counts } = createCountingBackend();
    using own = new Scope(counting);
    const steps = own.own(new Tape(counting));
    const x = steps.variable(own.matrix(4, 3));
    const output = add(add(square(x), square(x)), square(x));
    const before = counts.kernels;
    steps.backward(output);
    // The seed; for each square a product and a factor; two additions to x.
    expect(counts.kernels - before).toBe(1 + 3 * 2 + 2);
  });

  it('rejects a seed of another shape', () => {
    const output = square(tape.variable(matrix(1, 2, 3, 4)));
    expect(() => {
      tape.backward(output, matrix(2, 1, 1, 1));
    }).toThrow(
      expect.objectContaining({ code: 'shape', message: expect.stringContaining('seed is 2×1, output is 1×2') }),
    );
  });
});

describe('an operation of a third party', () => {
  function cube(x: Variable): Variable {
    const out = x.tape.allocate(x.rows, x.columns);
    unary('square', x.value, out);
    binary('multiply', out, x.value, out);
    return x.tape.record(out, [x], (gradient, sink) => {
      const { out: target, beta } = sink.target(x);
      const contribution = x.tape.allocate(x.rows, x.columns);
      unary('square', x.value, contribution);
      binary('multiply', contribution, gradient, contribution);
      if (beta === 0) fill(0, target);
      axpy(3, contribution, target);
    });
  }

  it('takes part like any other', async () => {
    const x = tape.variable(matrix(1, 2, 2, -1));
    tape.backward(add(cube(x), cube(scale(x, 2))));
    expect(await gradientOf(x)).toEqual([12 + 96, 3 + 24]);
    expect(cube(tape.constant(x.value)).requiresGradient).toBe(false);
  });

  it('is told when it asks for the target of a constant', () => {
    const x = tape.variable(matrix(1, 1, 2));
    const constant = tape.constant(matrix(1, 1, 2));
    const output = tape.record(tape.allocate(1, 1), [x, constant], (_gradient, sink) => {
      sink.target(constant);
    });
    expect(() => {
      tape.backward(output);
    }).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  it('is told when its gradient has the wrong shape, and the tape stays usable', async () => {
    const x = tape.variable(matrix(2, 1, 2, -1));
    const middle = square(x);
    const wrong = tape.record(tape.allocate(1, 1), [middle], (gradient, sink) => {
      sink.add(middle, gradient);
    });
    const alsoWrong = tape.record(tape.allocate(1, 1), [middle], (_gradient, sink) => {
      sink.passThrough(middle);
    });
    for (const output of [wrong, alsoWrong]) {
      expect(() => {
        tape.backward(add(output, sum(middle)));
      }).toThrow(
        expect.objectContaining({
          code: 'shape',
          message: expect.stringContaining('1×1 was sent to a variable of 2×1'),
        }),
      );
    }
    expect(x.gradient).toBeUndefined();
    tape.backward(middle);
    expect(await gradientOf(x)).toEqual([4, -2]);
  });
});

describe('mistakes', () => {
  it('a variable of an earlier step is refused everywhere', () => {
    const x = tape.variable(matrix(1, 1, 2));
    const table = tape.table(scope.table(3, 2));
    const output = square(x);
    tape.backward(output);
    tape.reset();
    const fresh = tape.variable(x.tape.allocate(1, 1));
    const stale = expect.objectContaining({ code: 'stale-variable', message: expect.stringContaining('step 0') });
    for (const use of [
      () => output.value,
      () => x.gradient,
      () => table.gradients,
      () => square(output),
      () => add(fresh, output),
      () => tape.record(fresh.value, [output], () => undefined),
      () => {
        tape.backward(output);
      },
    ]) {
      expect(use).toThrow(stale);
    }
  });

  it('variables of two tapes do not mix', () => {
    const other = scope.own(new Tape(backend));
    const x = tape.variable(matrix(1, 1, 2));
    const y = other.variable(x.value);
    const mixed = expect.objectContaining({ code: 'tape-mismatch' });
    expect(() => add(x, y)).toThrow(mixed);
    expect(() => matmul(x, y)).toThrow(mixed);
    expect(() => tape.record(x.value, [y], () => undefined)).toThrow(mixed);
    expect(() => {
      tape.backward(y);
    }).toThrow(mixed);
  });

  it('values of another backend or disposed ones are refused', () => {
    const elsewhere = createPlainBackend({ precision: 'f64' }).createMatrix(1, 1);
    expect(() => tape.variable(elsewhere)).toThrow(expect.objectContaining({ code: 'backend-mismatch' }));
    const gone = backend.createMatrix(1, 1);
    gone[Symbol.dispose]();
    expect(() => tape.constant(gone)).toThrow(expect.objectContaining({ code: 'disposed' }));
  });

  it('a disposed tape refuses everything but disposal', () => {
    const value = matrix(1, 4, 2, 3, 4, 5);
    const x = tape.variable(value);
    reshape(x, 2, 2);
    tape[Symbol.dispose]();
    tape[Symbol.dispose]();
    const disposed = expect.objectContaining({ code: 'disposed' });
    expect(() => tape.variable(value)).toThrow(disposed);
    expect(() => tape.allocate(1, 1)).toThrow(disposed);
    expect(() => {
      tape.reset();
    }).toThrow(disposed);
    expect(() => x.value).toThrow(
      expect.objectContaining({ code: 'stale-variable', message: expect.stringContaining('disposed') }),
    );
    // The value was the caller's and is still there.
    expect(value.disposed).toBe(false);
  });
});
