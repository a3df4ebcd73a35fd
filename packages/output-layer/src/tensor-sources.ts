/** Matrices and tables as the named tensors of a checkpoint, and back. Tables go by blocks of rows. */
import { read, readRows, write, writeRows, type Matrix, type RowTable } from '@vastmax/linalg-core';
import { OutputLayerError } from './errors.ts';
import type { ModuleState, TensorSource } from './state.ts';

const rowsPerBlock = 4096;

export function matrixTensor(name: string, matrix: Matrix): TensorSource {
  const { rows, columns } = matrix;
  return {
    name,
    precision: matrix.backend.precision,
    rows,
    columns,
    read: async (first, count) => (await read(matrix)).subarray(first * columns, (first + count) * columns),
  };
}

export function tableTensor(name: string, table: RowTable): TensorSource {
  return {
    name,
    precision: table.backend.precision,
    rows: table.rows,
    columns: table.columns,
    read: (first, count) => readRows(table, first, count),
  };
}

/** The tensor of that name and shape. @throws OutputLayerError `state-mismatch`, naming both shapes. */
export function findTensor(state: ModuleState, name: string, rows: number, columns: number): TensorSource {
  const tensor = state.tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) {
    throw new OutputLayerError(
      'state-mismatch',
      `the checkpoint has no tensor '${name}'; it has ${state.tensors.map((t) => t.name).join(', ') || 'none'}`,
    );
  }
  if (tensor.rows !== rows || tensor.columns !== columns) {
    throw new OutputLayerError(
      'state-mismatch',
      `tensor '${name}' is ${tensor.rows}×${tensor.columns} in the checkpoint, the model's is ${rows}×${columns}`,
    );
  }
  return tensor;
}

export async function restoreMatrix(state: ModuleState, name: string, matrix: Matrix): Promise<void> {
  const tensor = findTensor(state, name, matrix.rows, matrix.columns);
  write(await tensor.read(0, matrix.rows), matrix);
}

export async function restoreTable(state: ModuleState, name: string, table: RowTable): Promise<void> {
  const tensor = findTensor(state, name, table.rows, table.columns);
  for (let first = 0; first < table.rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, table.rows - first);
    writeRows((await tensor.read(first, count)).subarray(0, count * table.columns), first, table);
  }
}
