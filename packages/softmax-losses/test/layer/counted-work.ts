/** A plain f32 backend that counts multiply-adds and the rows of tables that are gathered or changed. */
import {
  createPlainBackend,
  Indices,
  isRowTable,
  type Backend,
  type GemmSettings,
  type Matrix,
} from '@vastmax/linalg-core';

export interface Work {
  products: number;
  tableRows: number;
}

export function createCountedBackend(): { readonly backend: Backend; readonly work: Work } {
  const backend = createPlainBackend({ precision: 'f32' });
  const work: Work = { products: 0, tableRows: 0 };
  const { gemm, rowDot } = backend;
  Object.assign(backend, {
    gemm: (a: Matrix, b: Matrix, out: Matrix, settings: GemmSettings): void => {
      work.products += out.rows * out.columns * (settings.transposeA ? a.rows : a.columns);
      gemm.call(backend, a, b, out, settings);
    },
    rowDot: (a: Matrix, b: Matrix, out: Matrix): void => {
      work.products += a.rows * a.columns;
      rowDot.call(backend, a, b, out);
    },
  });
  for (const name of ['gatherRows', 'scatterRows', 'scatterAddRows'] as const) {
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
