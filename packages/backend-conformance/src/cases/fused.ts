/** Fused kernels: each equals the composition that it replaces on the same backend, and the oracle. */
import { gemm, read, symmetricRank2Update } from '@vastmax/linalg-core';
import { expectClose, expectSame } from '../comparison.ts';
import { kernelCase, combine, type CaseContext, type ConformanceCase, type Prepared } from '../conformance-case.ts';
import { knownMatrix, randomMatrix } from '../operands.ts';
import { naiveGemm } from '../oracle/matrix-product.ts';
import { sumTolerance } from '../tolerance.ts';

function prepareUpdate(
  context: CaseContext,
  n: number,
  k: number,
  transpose: boolean,
  alpha: number,
  beta: number,
): Prepared {
  const { precision } = context.backend;
  const a = transpose ? randomMatrix(context, n, k) : randomMatrix(context, k, n);
  const b = transpose ? randomMatrix(context, n, k) : randomMatrix(context, k, n);
  // Not symmetric: beta·out must not be mirrored.
  const old =
    beta === 0 ? knownMatrix(context, n, n, new Float64Array(n * n).fill(Number.NaN)) : randomMatrix(context, n, n);
  const composed = knownMatrix(context, n, n, old.values);
  const transposes = { transposeA: !transpose, transposeB: transpose };
  const first = naiveGemm(a.values, b.values, old.values, { m: n, n, k, ...transposes, alpha, beta });
  const second = naiveGemm(b.values, a.values, first.values, { m: n, n, k, ...transposes, alpha, beta: 1 });
  const magnitudes = second.magnitudes.map((value, i) => value + first.magnitudes[i]!);
  const tolerance = sumTolerance(precision, 2 * k, magnitudes);
  const what = `symmetricRank2Update n=${n} k=${k} transpose=${transpose} alpha=${alpha} beta=${beta}`;
  return {
    call: () => symmetricRank2Update(a.matrix, b.matrix, old.matrix, { transpose, alpha, beta }),
    check: async () => {
      gemm(a.matrix, b.matrix, composed.matrix, { ...transposes, alpha, beta });
      gemm(b.matrix, a.matrix, composed.matrix, { ...transposes, alpha, beta: 1 });
      const got = await read(old.matrix);
      expectClose(what, got, second.values, tolerance, n);
      expectClose(`${what}, against two gemms`, got, await read(composed.matrix), tolerance, n);
    },
    operations: 2 * n * n * k,
  };
}

const sizes = [
  [1, 1],
  [3, 5],
  [4, 4],
  [5, 3],
  [63, 65],
  [65, 4],
  [64, 257],
  [6, 0],
  [0, 3],
] as const;

export const fusedCases: readonly ConformanceCase[] = [false, true].flatMap((transpose) => {
  const name = transpose ? 'transpose' : 'no-transpose';
  const update = (suffix: string, alpha: number, beta: number): ConformanceCase =>
    kernelCase(
      `symmetric-rank-2-update/${name}/${suffix}`,
      'symmetricRank2Update',
      (context) => combine(sizes.map(([n, k]) => prepareUpdate(context, n, k, transpose, alpha, beta))),
      ['symmetricRank2Update'],
    );
  return [
    update('plain', 1, 0),
    update('alpha-beta', -0.4, 0.75),
    update('accumulate', 2, 1),
    kernelCase(
      `symmetric-rank-2-update/${name}/same-operand-twice`,
      'symmetricRank2Update',
      (context) => {
        const n = 37;
        const k = 9;
        const a = transpose ? randomMatrix(context, n, k) : randomMatrix(context, k, n);
        const out = context.scope.matrix(n, n);
        const twice = context.scope.matrix(n, n);
        return {
          call: () => symmetricRank2Update(a.matrix, a.matrix, out, { transpose }),
          check: async () => {
            gemm(a.matrix, a.matrix, twice, { transposeA: !transpose, transposeB: transpose, alpha: 2 });
            const exact = await read(twice);
            const largest = exact.map(() => 2 * k);
            expectClose(
              'aᵀa + aᵀa',
              await read(out),
              exact,
              sumTolerance(context.backend.precision, 2 * k, largest),
              n,
            );
            expectSame(
              'out is symmetric',
              await read(out),
              (await read(out)).map((_, i, all) => all[(i % n) * n + Math.floor(i / n)]!),
              n,
            );
          },
          operations: 2 * n * n * k,
        };
      },
      ['symmetricRank2Update'],
    ),
  ];
});
