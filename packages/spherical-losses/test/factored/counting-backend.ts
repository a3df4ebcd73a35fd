/**
 * A plain backend that counts kernel calls and the bytes of their operands, of which a table counts with the rows
 * gathered or scattered.
 */
import { createPlainBackend, isMatrix, isRowTable, Indices, type Backend, type Precision } from '@vastmax/linalg-core';

export interface KernelCounts {
  /** Calls by kernel. */
  calls: Record<string, number>;
  bytes: number;
  /** Rows gathered from or scattered to tables. */
  tableRows: number;
  /** Handles created. */
  created: number;
}

const kernels = [
  'write',
  'indicesWritten',
  'writeRows',
  'read',
  'readRows',
  'growTable',
  'fill',
  'copy',
  'copyColumns',
  'addDiagonal',
  'gemm',
  'rowDot',
  'scaleRows',
  'axpy',
  'affine',
  'unary',
  'binary',
  'reduce',
  'gatherRows',
  'scatterAddRows',
  'scatterRows',
  'solve',
  'symmetricRank2Update',
] as const;

export function createCountingBackend(precision: Precision): {
  backend: Backend;
  counts: KernelCounts;
  reset: () => void;
} {
  const backend = createPlainBackend({ precision });
  const bytesPerNumber = precision === 'f32' ? 4 : 8;
  const counts: KernelCounts = { calls: {}, bytes: 0, tableRows: 0, created: 0 };
  const count = (name: string, operands: readonly unknown[]): void => {
    counts.calls[name] = (counts.calls[name] ?? 0) + 1;
    const indices = operands.find((operand) => operand instanceof Indices);
    for (const operand of operands) {
      if (isMatrix(operand)) counts.bytes += operand.rows * operand.columns * bytesPerNumber;
      else if (operand instanceof Indices) counts.bytes += operand.count * 4;
      else if (isRowTable(operand)) {
        const rows = indices?.count ?? operand.rows;
        counts.tableRows += rows;
        counts.bytes += rows * operand.columns * bytesPerNumber;
      }
    }
  };
  for (const name of kernels) {
    const kernel: unknown = backend[name];
    if (typeof kernel !== 'function') continue;
    Object.assign(backend, {
      [name]: (...operands: unknown[]): unknown => {
        count(name, operands);
        return Reflect.apply(kernel, backend, operands);
      },
    });
  }
  for (const name of ['createMatrix', 'createTable', 'createIndices'] as const) {
    const create: unknown = backend[name];
    if (typeof create !== 'function') continue;
    Object.assign(backend, {
      [name]: (...sizes: unknown[]): unknown => {
        counts.created++;
        return Reflect.apply(create, backend, sizes);
      },
    });
  }
  return {
    backend,
    counts,
    reset: () => {
      counts.calls = {};
      counts.bytes = 0;
      counts.tableRows = 0;
      counts.created = 0;
    },
  };
}
