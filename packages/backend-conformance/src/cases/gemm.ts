/** The product: all transposes at all kinds of sizes, alpha and beta, and the edge cases of its definition. */
import { gemm, read } from '@vastmax/linalg-core';
import { expectClose, expectSame } from '../comparison.ts';
import { kernelCase, combine, type CaseContext, type ConformanceCase, type Prepared } from '../conformance-case.ts';
import { knownMatrix, randomMatrix } from '../operands.ts';
import { naiveGemm } from '../oracle/matrix-product.ts';
import { sumTolerance } from '../tolerance.ts';

type Size = readonly [m: number, n: number, k: number];
interface Transposes {
  readonly name: string;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const transposes: readonly Transposes[] = [
  { name: 'no-transpose', transposeA: false, transposeB: false },
  { name: 'transpose-a', transposeA: true, transposeB: false },
  { name: 'transpose-b', transposeA: false, transposeB: true },
  { name: 'transpose-both', transposeA: true, transposeB: true },
];

const small = [1, 3, 4, 5];
const sizes: Readonly<Record<string, readonly Size[]>> = {
  small: small.flatMap((m) => small.flatMap((n) => small.map((k): Size => [m, n, k]))),
  'edge-tiles': [
    [63, 64, 65],
    [64, 64, 64],
    [65, 63, 64],
    [64, 65, 63],
    [65, 65, 65],
    [5, 65, 257],
    [257, 63, 4],
  ],
  large: [[257, 257, 257]],
  skinny: [
    [1, 257, 64],
    [257, 1, 64],
    [64, 64, 1],
    [1, 1, 257],
    [1, 257, 1],
    [257, 3, 1],
    [3, 1, 65],
  ],
};

interface Factors {
  readonly alpha?: number;
  readonly beta?: number;
  /** Fill out with NaN and infinities before the call. */
  readonly poison?: boolean;
}

function prepareGemm(context: CaseContext, [m, n, k]: Size, how: Transposes, factors: Factors = {}): Prepared {
  const { transposeA, transposeB } = how;
  const { alpha = 1, beta = 0, poison = false } = factors;
  const a = transposeA ? randomMatrix(context, k, m) : randomMatrix(context, m, k);
  const b = transposeB ? randomMatrix(context, n, k) : randomMatrix(context, k, n);
  const old = poison
    ? knownMatrix(
        context,
        m,
        n,
        Float64Array.from({ length: m * n }, (_, i) => (i % 3 === 0 ? Infinity : Number.NaN)),
      )
    : randomMatrix(context, m, n);
  const expected = naiveGemm(a.values, b.values, old.values, { m, n, k, transposeA, transposeB, alpha, beta });
  const tolerance = sumTolerance(context.backend.precision, k, expected.magnitudes);
  const what = `gemm m=${m} n=${n} k=${k} alpha=${alpha} beta=${beta}`;
  return {
    call: () => gemm(a.matrix, b.matrix, old.matrix, { transposeA, transposeB, alpha, beta }),
    check: async () => expectClose(what, await read(old.matrix), expected.values, tolerance, n),
    operations: 2 * m * n * k,
  };
}

const sized = transposes.flatMap((how) =>
  Object.entries(sizes).map(([name, list]) =>
    kernelCase(`gemm/${how.name}/${name}`, 'gemm', (context) =>
      combine(list.map((size) => prepareGemm(context, size, how))),
    ),
  ),
);

const scaled = transposes.flatMap((how) => [
  kernelCase(`gemm/${how.name}/alpha-beta`, 'gemm', (context) =>
    combine(
      [1, -0.5, 0].flatMap((alpha) =>
        [0, 1, -0.75].flatMap((beta) => [
          prepareGemm(context, [5, 7, 6], how, { alpha, beta }),
          prepareGemm(context, [65, 33, 300], how, { alpha, beta }),
        ]),
      ),
    ),
  ),
  kernelCase(`gemm/${how.name}/beta-zero-never-reads-out`, 'gemm', (context) =>
    combine([
      prepareGemm(context, [5, 7, 6], how, { poison: true }),
      prepareGemm(context, [66, 64, 65], how, { poison: true }),
      prepareGemm(context, [4, 4, 0], how, { poison: true }),
      prepareGemm(context, [4, 5, 3], how, { alpha: 0, poison: true }),
    ]),
  ),
  kernelCase(`gemm/${how.name}/empty`, 'gemm', (context) =>
    combine([
      prepareGemm(context, [0, 5, 3], how),
      prepareGemm(context, [5, 0, 3], how, { beta: 1 }),
      prepareGemm(context, [0, 0, 0], how),
      // Inner dimension 0: the result is beta·out.
      prepareGemm(context, [4, 5, 0], how, { beta: 0.5 }),
      prepareGemm(context, [4, 5, 0], how, { beta: 1 }),
    ]),
  ),
]);

export const gemmCases: readonly ConformanceCase[] = [
  ...sized,
  ...scaled,
  kernelCase('gemm/same-operand-twice', 'gemm', (context) => {
    const a = randomMatrix(context, 9, 13);
    const out = context.scope.matrix(9, 9);
    const shape = { m: 9, n: 9, k: 13, transposeA: false, transposeB: true, alpha: 1, beta: 0 };
    const expected = naiveGemm(a.values, a.values, [], shape);
    return {
      call: () => gemm(a.matrix, a.matrix, out, { transposeB: true }),
      check: async () =>
        expectClose(
          'a·aᵀ',
          await read(out),
          expected.values,
          sumTolerance(context.backend.precision, 13, expected.magnitudes),
          9,
        ),
      operations: 2 * 9 * 9 * 13,
    };
  }),
  kernelCase('gemm/stays-within-resized-operands', 'gemm', (context) => {
    const a = randomMatrix(context, 8, 8);
    const b = randomMatrix(context, 8, 8);
    const out = randomMatrix(context, 8, 8);
    const shape = { m: 3, n: 5, k: 6, transposeA: false, transposeB: false, alpha: 1, beta: 0 };
    const expected = naiveGemm(a.values, b.values, [], shape);
    const tolerance = sumTolerance(context.backend.precision, 6, expected.magnitudes);
    return {
      call: () => gemm(a.matrix.resize(3, 6), b.matrix.resize(6, 5), out.matrix.resize(3, 5)),
      check: async () => {
        const room = await read(out.matrix.resize(8, 8));
        expectClose('the product', room.subarray(0, 15), expected.values, tolerance, 5);
        expectSame('the room beyond the product', room.subarray(15), out.values.subarray(15));
      },
      operations: 2 * 3 * 5 * 6,
    };
  }),
  kernelCase('gemm/nan-in-an-operand-shows', 'gemm', (context) => {
    const values = new Float64Array(25).fill(1);
    values[7] = Number.NaN;
    const a = knownMatrix(context, 5, 5, values);
    const b = knownMatrix(context, 5, 2, new Float64Array(10).fill(2));
    const out = context.scope.matrix(5, 2);
    const expected = [10, 10, Number.NaN, Number.NaN, 10, 10, 10, 10, 10, 10];
    return {
      call: () => gemm(a.matrix, b.matrix, out),
      check: async () => expectSame('row 1 has a NaN, the others have none', await read(out), expected, 2),
      operations: 2 * 5 * 2 * 5,
    };
  }),
];
