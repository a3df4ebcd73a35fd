/**
 * Least squares over lists of rows. A solution is checked by the residual of its normal equations, a·x = b with a =
 * VᵀWV + B and b = VᵀW1: ‖b − a·x‖∞ ≤ 8(n + d)ε(‖a‖∞‖x‖∞ + ‖b‖∞). The penalties are about 1, so that solving in as many
 * unknowns as a list has rows loses no more than solving in d.
 */
import { leastSquaresRows, read, Workspace, writeRows } from '@vastmax/linalg-core';
import { ConformanceFailure } from '../comparison.ts';
import { combine, kernelCase, type CaseContext, type ConformanceCase, type Prepared } from '../conformance-case.ts';
import { knownIndices, knownMatrix, poisonedMatrix } from '../operands.ts';
import { epsilonOf } from '../tolerance.ts';

/** Rows of the table, width, and how long the lists are. */
const sizes = [
  [1, 1, [1]],
  [9, 3, [0, 2, 5, 0]],
  [40, 16, [1, 2, 3, 4, 5, 6, 7, 8, 9, 16]],
  [300, 67, [67, 0, 33, 1, 40]],
  [2000, 130, [12, 129, 30, 31, 32, 33, 34, 2, 90]],
  [4, 6, []],
] as const;

function prepare(
  context: CaseContext,
  isWeighted: boolean,
  [rows, columns, lengths]: readonly [number, number, readonly number[]],
): Prepared {
  const { backend, random, scope } = context;
  const { precision } = backend;
  const values = random.values(rows * columns, precision);
  const table = scope.table(rows, columns);
  writeRows(values, 0, table);
  const starts = [0];
  for (const length of lengths) starts.push(starts[starts.length - 1]! + length);
  const entries = starts[starts.length - 1]!;
  const chosen = Array.from({ length: entries }, (_, e) => (e === 0 ? rows - 1 : random.integer(rows)));
  const positive = (count: number): Float64Array =>
    Float64Array.from(random.values(count, precision), (value) => 1 + 0.5 * value);
  const weights = isWeighted ? knownMatrix(context, entries, 1, positive(entries)) : undefined;
  const base = knownMatrix(context, 1, columns, positive(columns));
  const shifts = knownMatrix(context, lengths.length, 1, positive(lengths.length));
  const lists = { offsets: knownIndices(context, starts), indices: knownIndices(context, chosen) };
  const out = poisonedMatrix(context, lengths.length, columns);
  return {
    call: () => {
      using workspace = new Workspace(backend);
      leastSquaresRows(
        table,
        { ...lists, weights: weights?.matrix },
        { base: base.matrix, shifts: shifts.matrix },
        out,
        workspace,
      );
    },
    check: async () => {
      const got = await read(out);
      lengths.forEach((length, list) => {
        const x = got.subarray(list * columns, (list + 1) * columns);
        const residual = new Float64Array(columns);
        const sums = new Float64Array(columns);
        let normB = 0;
        for (let e = starts[list]!; e < starts[list]! + length; e++) {
          const row = Float64Array.from(values.subarray(chosen[e]! * columns, (chosen[e]! + 1) * columns));
          const weight = weights?.values[e] ?? 1;
          const output = row.reduce((sum, value, j) => sum + value * x[j]!, 0);
          const size = row.reduce((sum, value) => sum + Math.abs(value), 0);
          row.forEach((value, j) => {
            residual[j]! += weight * value * (1 - output);
            sums[j]! += weight * Math.abs(value) * size;
          });
          normB += weight;
        }
        let normA = 0;
        let normX = 0;
        for (let j = 0; j < columns; j++) {
          const penalty = base.values[j]! + shifts.values[list]!;
          residual[j]! -= penalty * x[j]!;
          normA = Math.max(normA, sums[j]! + penalty);
          normX = Math.max(normX, Math.abs(x[j]!));
        }
        const allowed = 8 * (length + columns) * epsilonOf(precision) * (normA * normX + normB);
        for (const value of residual) {
          if (Math.abs(value) <= allowed) continue;
          throw new ConformanceFailure(
            `leastSquaresRows: list ${list} of ${length} rows has a residual of ${value.toExponential(2)} in its normal equations, allowed ${allowed.toExponential(2)}`,
          );
        }
      });
    },
    operations: lengths.reduce((sum, n) => sum + n * n * columns + (n * n * n) / 3 + 4 * n * columns, 0),
  };
}

export const leastSquaresRowsCases: readonly ConformanceCase[] = [false, true].map((isWeighted) =>
  kernelCase(`least-squares-rows/${isWeighted ? 'weighted' : 'plain'}`, 'leastSquaresRows', (context) =>
    combine(sizes.map((size) => prepare(context, isWeighted, size))),
  ),
);
