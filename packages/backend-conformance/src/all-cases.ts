import { denseCases } from './cases/dense.ts';
import { elementwiseCases } from './cases/elementwise.ts';
import { errorCases } from './cases/errors.ts';
import { exponentiateRowsCases } from './cases/exponentiate-rows.ts';
import { fusedCases } from './cases/fused.ts';
import { gemmCases } from './cases/gemm.ts';
import { guardCases } from './cases/guard.ts';
import { lifetimeCases } from './cases/lifetime.ts';
import { normalRowsCases } from './cases/normal-rows.ts';
import { orderCases } from './cases/order.ts';
import { reduceCases } from './cases/reduce.ts';
import { rowViewCases } from './cases/row-views.ts';
import { rowCases } from './cases/rows.ts';
import { solveCases } from './cases/solve.ts';
import { gatheredRowDotCases } from './cases/gathered-row-dot.ts';
import { leastSquaresRowsCases } from './cases/least-squares-rows.ts';
import { quantizedRowsCases } from './cases/quantized-rows.ts';
import { rowRangesCases } from './cases/row-ranges.ts';
import { sparseProductCases } from './cases/sparse-product.ts';
import { storageCases } from './cases/storage.ts';
import { tableCases } from './cases/tables.ts';
import { updateRowsCases } from './cases/update-rows.ts';
import type { ConformanceCase } from './conformance-case.ts';

/** Every case, in the order in which a new backend should implement them: docs/writing-a-backend.md follows it. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...storageCases,
  ...denseCases,
  ...gemmCases,
  ...elementwiseCases,
  ...reduceCases,
  ...tableCases,
  ...rowCases,
  ...solveCases,
  ...fusedCases,
  ...updateRowsCases,
  ...sparseProductCases,
  ...gatheredRowDotCases,
  ...rowRangesCases,
  ...leastSquaresRowsCases,
  ...quantizedRowsCases,
  ...normalRowsCases,
  ...exponentiateRowsCases,
  ...rowViewCases,
  ...guardCases,
  ...orderCases,
  ...lifetimeCases,
  ...errorCases,
];
