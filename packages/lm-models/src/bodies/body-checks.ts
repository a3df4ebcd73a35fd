/** What all bodies share: the checks of their options, and how their state is saved and restored. */
import {
  findTensor,
  matrixTensor,
  restoreMatrix,
  restoreTable,
  tableTensor,
  type ModuleState,
  type TensorSource,
} from '@vastmax/linalg-core/state';
import { ModelError } from '../model-error.ts';
import type { ModelParameters } from './layers.ts';

/** @throws ModelError `bad-option` naming the model, the size and its value. */
export function checkSizes(model: string, sizes: readonly (readonly [string, number])[]): void {
  for (const [name, value] of sizes) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new ModelError('bad-option', `${model}: ${name} must be a whole number of at least 1, got ${value}`);
  }
}

/** @throws ModelError `bad-option` for a name that is not among `names`. */
export function checkName(model: string, what: string, value: string, names: readonly string[]): void {
  if (!names.includes(value))
    throw new ModelError('bad-option', `${model}: no ${what} is called '${value}'; there are ${names.join(', ')}`);
}

/** @throws ModelError `bad-option` for a probability of 1, which would drop everything, or for what is none. */
export function checkDropout(model: string, name: string, value: number): void {
  if (!(value >= 0 && value < 1))
    throw new ModelError('bad-option', `${model}: ${name} must be at least 0 and less than 1, got ${value}`);
}

/** @throws ModelError `bad-option` for a start of zeros, which cannot be trained. */
export function checkScale(model: string, name: string, value: number): void {
  if (!(value > 0) || !Number.isFinite(value))
    throw new ModelError('bad-option', `${model}: ${name} must be a finite number above 0, got ${value}`);
}

export function parameterTensors({ tables, matrices }: ModelParameters): TensorSource[] {
  return [
    ...tables.map(({ name, table }) => tableTensor(name, table)),
    ...matrices.map(({ name, value }) => matrixTensor(name, value)),
  ];
}

/**
 * @throws OutputLayerError `state-mismatch` where the state lacks a parameter or has it in another shape; nothing is
 * changed.
 */
export function checkParameters(state: ModuleState, { tables, matrices }: ModelParameters): void {
  for (const { name, table } of tables) findTensor(state, name, table.rows, table.columns);
  for (const { name, value } of matrices) findTensor(state, name, value.rows, value.columns);
}

export async function restoreParameters(state: ModuleState, { tables, matrices }: ModelParameters): Promise<void> {
  for (const { name, table } of tables) await restoreTable(state, name, table);
  for (const { name, value } of matrices) await restoreMatrix(state, name, value);
}

/**
 * Different models may have the same tensors: what else must agree.
 * @throws ModelError `state-mismatch`, naming both values.
 */
export function checkSameOptions<Options extends object>(
  model: string,
  state: ModuleState,
  options: Options,
  names: readonly (keyof Options & string)[],
): void {
  for (const name of names) {
    const saved = state.configuration[name];
    const own = options[name];
    if (saved === own) continue;
    throw new ModelError(
      'state-mismatch',
      `${model}: '${name}' is ${String(saved)} in the checkpoint, ${String(own)} in the model`,
    );
  }
}

export function countParameters({ tables, matrices }: ModelParameters): number {
  const inTables = tables.reduce((sum, { table }) => sum + table.rows * table.columns, 0);
  return matrices.reduce((sum, { value }) => sum + value.rows * value.columns, inTables);
}
