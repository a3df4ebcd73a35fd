import { createPlainBackend, writeIndices } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import {
  add,
  concatColumns,
  concatRows,
  divide,
  dropout,
  exp,
  gatherRows,
  gelu,
  layerNorm,
  log,
  logSoftmax,
  matmul,
  mean,
  multiply,
  negate,
  reciprocal,
  relu,
  reshape,
  rowDot,
  rowSum,
  scale,
  shift,
  sigmoid,
  sliceColumns,
  sliceRows,
  softmax,
  softplus,
  sqrt,
  square,
  subtract,
  sum,
  tanh,
  type Tape,
  type Variable,
} from '../../src/index.ts';
import { compareWithFiniteDifferences, type DifferenceInput, type VariablesOf } from '../../src/testing.ts';
import { sampleInput } from '../sample-inputs.ts';

const backend = createPlainBackend({ precision: 'f64' });
const tolerance = 1e-7;

async function expectRightGradients<const Inputs extends readonly DifferenceInput[]>(
  build: (tape: Tape, inputs: VariablesOf<Inputs>) => Variable,
  inputs: Inputs,
): Promise<void> {
  const errors: number[] = await compareWithFiniteDifferences(backend, build, inputs);
  expect(errors).toHaveLength(inputs.length);
  // An input with elements must have a gradient at all: the comparison would report 1 otherwise, 0 only below the
  // noise.
  for (const error of errors) expect(error).toBeLessThan(tolerance);
}

const sizes: [number, number][] = [
  [3, 4],
  [1, 5],
  [4, 1],
  [1, 1],
  [0, 3],
  [2, 0],
];

describe('gradients of elementwise operations', () => {
  const everywhere = {
    tanh,
    sigmoid,
    relu,
    gelu,
    softplus,
    exp,
    square,
    negate,
    scale: (x: Variable) => scale(x, -2.5),
    shift: (x: Variable) => shift(x, 0.75),
  };
  const positive = { log, sqrt, reciprocal };

  it.each(Object.entries(everywhere))('%s', async (_name, operation) => {
    for (const [rows, columns] of sizes)
      await expectRightGradients((_tape, [x]) => operation(x), [sampleInput(rows, columns)]);
  });

  it.each(Object.entries(positive))('%s', async (_name, operation) => {
    for (const [rows, columns] of sizes) {
      await expectRightGradients((_tape, [x]) => operation(x), [sampleInput(rows, columns, 2, 0.3, 3)]);
    }
  });

  it('of reciprocal for negative numbers', async () => {
    await expectRightGradients((_tape, [x]) => reciprocal(x), [sampleInput(2, 3, 3, -3, -0.4)]);
  });
});

describe('gradients of arithmetic with broadcast', () => {
  const shapes: [number, number][] = [
    [3, 4],
    [1, 4],
    [3, 1],
    [1, 1],
  ];
  const pairs = shapes.flatMap((a) =>
    shapes.map((b): [string, [number, number], [number, number]] => [`${a.join('×')} and ${b.join('×')}`, a, b]),
  );
  const operations = { add, subtract, multiply, divide };

  describe.each(Object.entries(operations))('%s', (_name, operation) => {
    it.each(pairs)('%s', async (_title, a, b) => {
      await expectRightGradients(
        (_tape, [x, y]) => operation(x, y),
        [sampleInput(...a, 4), sampleInput(...b, 5, 0.5, 2.5)],
      );
    });

    it('an operand with itself', async () => {
      await expectRightGradients((_tape, [x]) => operation(square(x), operation(x, x)), [sampleInput(2, 3, 6, 0.5, 2)]);
    });

    it('no rows, and one column broadcast against none', async () => {
      await expectRightGradients((_tape, [x, y]) => operation(x, y), [sampleInput(0, 3), sampleInput(1, 3)]);
      await expectRightGradients((_tape, [x, y]) => operation(x, y), [sampleInput(3, 1), sampleInput(3, 0)]);
    });
  });
});

describe('gradients of matrix products and sums', () => {
  const transposes = [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const;

  it.each(transposes)('matmul, transposeA %s, transposeB %s', async (transposeA, transposeB) => {
    for (const [m, k, n] of [
      [3, 4, 2],
      [1, 3, 1],
      [0, 3, 2],
      [2, 0, 3],
    ] as const) {
      const a = transposeA ? sampleInput(k, m) : sampleInput(m, k);
      const b = transposeB ? sampleInput(n, k, 2) : sampleInput(k, n, 2);
      await expectRightGradients((_tape, [x, y]) => matmul(x, y, { transposeA, transposeB }), [a, b]);
      // Both operands have collected something already when the inner product's turn comes.
      await expectRightGradients(
        (_tape, [x, y]) => {
          const inner = matmul(x, y, { transposeA, transposeB });
          return add(
            matmul(x, square(y), { transposeA, transposeB }),
            add(inner, matmul(square(x), y, { transposeA, transposeB })),
          );
        },
        [a, b],
      );
    }
  });

  it('matmul of an intermediate whose gradient is on loan', async () => {
    await expectRightGradients(
      (_tape, [x, y]) => {
        const middle = square(x);
        return add(middle, matmul(middle, y));
      },
      [sampleInput(2, 3), sampleInput(3, 3, 2)],
    );
  });

  it('matmul of a matrix with itself', async () => {
    await expectRightGradients((_tape, [x]) => matmul(x, x), [sampleInput(3, 3)]);
    await expectRightGradients((_tape, [x]) => matmul(tanh(x), x, { transposeA: true }), [sampleInput(2, 3)]);
  });

  it.each(Object.entries({ sum, rowSum }))('%s', async (_name, operation) => {
    for (const [rows, columns] of sizes) {
      await expectRightGradients((_tape, [x]) => operation(x), [sampleInput(rows, columns)]);
      await expectRightGradients((_tape, [x]) => multiply(x, operation(x)), [sampleInput(rows, columns)]);
    }
  });

  it('mean', async () => {
    for (const [rows, columns] of sizes.slice(0, 4))
      await expectRightGradients((_tape, [x]) => mean(square(x)), [sampleInput(rows, columns)]);
  });

  it('rowDot', async () => {
    for (const [rows, columns] of sizes) {
      await expectRightGradients(
        (_tape, [x, y]) => rowDot(x, y),
        [sampleInput(rows, columns), sampleInput(rows, columns, 2)],
      );
    }
    await expectRightGradients((_tape, [x]) => rowDot(x, x), [sampleInput(2, 3)]);
  });
});

describe('gradients of moving elements', () => {
  it('gatherRows, with repeated, missing and no indices', async () => {
    for (const rows of [[2, 0, 2, 2], [1], []]) {
      using indices = backend.createIndices(4);
      writeIndices(Int32Array.from(rows), indices);
      await expectRightGradients((_tape, [x]) => square(gatherRows(x, indices)), [sampleInput(3, 2)]);
      await expectRightGradients(
        (_tape, [x]) => add(gatherRows(x, indices), square(gatherRows(x, indices))),
        [sampleInput(3, 2)],
      );
    }
  });

  it('concatColumns, with an empty one and one twice', async () => {
    for (const rows of [3, 1, 0]) {
      await expectRightGradients(
        (_tape, [x, y, z]) => square(concatColumns([x, y, z, x])),
        [sampleInput(rows, 2), sampleInput(rows, 0), sampleInput(rows, 3, 2)],
      );
    }
  });

  it('sliceColumns, overlapping and none', async () => {
    for (const rows of [3, 1, 0]) {
      await expectRightGradients(
        (_tape, [x]) => multiply(sliceColumns(x, 0, 3), square(sliceColumns(x, 2, 3))),
        [sampleInput(rows, 5)],
      );
      await expectRightGradients(
        (_tape, [x]) => concatColumns([sliceColumns(x, 1, 0), square(x)]),
        [sampleInput(rows, 2)],
      );
    }
  });

  it('concatRows, with an empty one and one twice', async () => {
    for (const columns of [3, 1, 0]) {
      await expectRightGradients(
        (_tape, [x, y, z]) => square(concatRows([x, y, z, x])),
        [sampleInput(2, columns), sampleInput(0, columns), sampleInput(3, columns, 2)],
      );
    }
  });

  it('sliceRows, overlapping and none', async () => {
    for (const columns of [3, 1, 0]) {
      await expectRightGradients(
        (_tape, [x]) => multiply(sliceRows(x, 0, 3), square(sliceRows(x, 2, 3))),
        [sampleInput(5, columns)],
      );
      await expectRightGradients(
        (_tape, [x]) => concatRows([sliceRows(x, 1, 0), square(x)]),
        [sampleInput(2, columns)],
      );
    }
  });

  it('reshape', async () => {
    await expectRightGradients(
      (_tape, [x]) => multiply(reshape(x, 2, 6), reshape(square(x), 2, 6)),
      [sampleInput(4, 3)],
    );
    await expectRightGradients((_tape, [x]) => reshape(x, 3, 0), [sampleInput(0, 5)]);
  });

  it('dropout with a fixed mask', async () => {
    for (const [rows, columns] of sizes) {
      const build = (_tape: Tape, [x]: [Variable]): Variable => {
        let position = 0;
        return square(dropout(x, { rate: 0.4, random: () => (position += 0.37) % 1 }));
      };
      await expectRightGradients(build, [sampleInput(rows, columns)]);
    }
  });
});

describe('gradients of normalisations', () => {
  it('layerNorm', async () => {
    for (const [rows, columns] of [
      [3, 4],
      [1, 5],
      [0, 3],
      [2, 2],
    ] as const) {
      await expectRightGradients(
        (_tape, [x, gain, bias]) => layerNorm(x, gain, bias, { epsilon: 0.1 }),
        [sampleInput(rows, columns), sampleInput(1, columns, 2), sampleInput(1, columns, 3)],
      );
    }
  });

  it('layerNorm of parameters that are computed, and shared', async () => {
    await expectRightGradients(
      (_tape, [x, gain]) => layerNorm(tanh(x), square(gain), square(gain)),
      [sampleInput(1, 4), sampleInput(1, 4, 2)],
    );
  });

  it.each(Object.entries({ softmax, logSoftmax }))('%s', async (_name, operation) => {
    for (const [rows, columns] of sizes)
      await expectRightGradients((_tape, [x]) => operation(x), [sampleInput(rows, columns)]);
  });
});

describe('gradients of a composed network', () => {
  it('two layers with layerNorm, dropout and a softmax cross-entropy', async () => {
    await expectRightGradients(
      (tape, [x, w1, b1, gain, bias, w2, b2]) => {
        let position = 0.2;
        const hidden = layerNorm(gelu(add(matmul(x, w1), b1)), gain, bias);
        const dropped = dropout(hidden, { rate: 0.25, random: () => (position += 0.61) % 1 });
        const logits = add(matmul(dropped, w2, { transposeB: true }), b2);
        const targets = tape.allocate(4, 3);
        backend.write([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0.5, 0.5], targets);
        return negate(mean(rowDot(tape.constant(targets), logSoftmax(logits))));
      },
      [
        sampleInput(4, 3),
        sampleInput(3, 5, 2),
        sampleInput(1, 5, 3),
        sampleInput(1, 5, 4),
        sampleInput(1, 5, 5),
        sampleInput(3, 5, 6),
        sampleInput(1, 3, 7),
      ],
    );
  });
});
