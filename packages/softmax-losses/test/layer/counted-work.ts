/** A plain f32 backend that counts multiply-adds and the rows of tables that are gathered, changed or used in place. */
import {
  createPlainBackend,
  Indices,
  isRowTable,
  type Backend,
  type GemmSettings,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';

export interface Work {
  products: number;
  tableRows: number;
}

export function createCountedBackend(): { readonly backend: Backend; readonly work: Work } {
  const backend = createPlainBackend({ precision: 'f32' });
  const work: Work = { products: 0, tableRows: 0 };
  const { gemm, rowDot, gatheredRowDot } = backend;
  Object.assign(backend, {
    gemm: (a: Matrix, b: Matrix, out: Matrix, settings: GemmSettings): void => {
      work.products += out.rows * out.columns * (settings.transposeA ? a.rows : a.columns);
      for (const { viewed, rows } of [a, b, out]) if (viewed !== undefined) work.tableRows += rows;
      gemm.call(backend, a, b, out, settings);
    },
    gatheredRowDot: (
      a: Matrix | RowTable,
      aIndices: Indices,
      b: Matrix | RowTable,
      bIndices: Indices,
      out: Matrix,
    ): void => {
      work.products += aIndices.count * a.columns;
      if (isRowTable(a)) work.tableRows += aIndices.count;
      if (isRowTable(b)) work.tableRows += bIndices.count;
      gatheredRowDot?.call(backend, a, aIndices, b, bIndices, out);
    },
    rowDot: (a: Matrix, b: Matrix, out: Matrix): void => {
      work.products += a.rows * a.columns;
      rowDot.call(backend, a, b, out);
    },
  });
  for (const name of ['gatherRows', 'scatterRows', 'scatterAddRows', 'updateRows'] as const) {
    const kernel: unknown = backend[name];
    if (typeof kernel !== 'function') continue;
    Object.assign(backend, {
      [name]: (...operands: unknown[]): unknown => {
        const indices = operands.find((operand) => operand instanceof Indices);
        if (indices !== undefined && operands.some((operand) => isRowTable(operand))) work.tableRows += indices.count;
        return Reflect.apply(kernel, backend, operands);
      },
    });
  }
  return { backend, work };
}
