/**
 * The factored layer's checkpoint: V as it is stored (not settled), each row's generation, the current map and its inverse, the tracked
 * sums and the ladder. Everything that the next step reads is there bit for bit, so a resumed run and one that never
 * stopped are the same run. O(d²·log) besides V, which is read by blocks.
 */
import { read, readRows, write, writeRows, type Matrix } from '@vastmax/linalg-core';
import { OutputLayerError, type JsonObject, type ModuleState, type TensorSource } from '@vastmax/output-layer';
import type { FactoredWeights } from './factored-weights.ts';
import { rowsPerBlock } from './gram-matrix.ts';

export function stateOf(weights: FactoredWeights, configuration: JsonObject): ModuleState {
  const precision = weights.backend.precision;
  const tensors: TensorSource[] = [
    { name: 'rows', precision, rows: weights.classes, columns: weights.width, read: (first, count) => readRows(weights.rows, first, count) },
    {
      name: 'generations',
      precision: 'i32',
      rows: weights.classes,
      columns: 1,
      read: (first, count) => Promise.resolve(weights.generations.slice(first, first + count)),
    },
  ];
  for (const [name, matrix] of namedMatrices(weights)) tensors.push(matrixSource(name, matrix));
  return {
    configuration: { ...configuration, generation: weights.ladder.current, sweep: { ...weights.sweep.state() } },
    tensors,
  };
}

export async function restoreWeights(weights: FactoredWeights, state: ModuleState): Promise<void> {
  const byName = new Map(state.tensors.map((tensor) => [tensor.name, tensor]));
  const find = (name: string, rows: number, columns: number): TensorSource => {
    const tensor = byName.get(name);
    if (tensor === undefined) throw new OutputLayerError('state-mismatch', `factored layer: the state has no tensor '${name}'`);
    if (tensor.rows !== rows || tensor.columns !== columns) {
      throw new OutputLayerError(
        'state-mismatch',
        `factored layer: tensor '${name}' is ${tensor.rows}×${tensor.columns} in the state, the layer's is ${rows}×${columns}`,
      );
    }
    return tensor;
  };
  const generation = wholeNumber(state.configuration['generation'], 'generation');
  const sweep = state.configuration['sweep'];
  if (typeof sweep !== 'object' || sweep === null || Array.isArray(sweep)) {
    throw new OutputLayerError('state-mismatch', 'factored layer: the state has no sweep counters');
  }
  const counters = sweep as JsonObject;
  const { classes, width } = weights;
  const rows = find('rows', classes, width);
  const generations = find('generations', classes, 1);
  for (const [name, matrix] of namedMatrices(weights, false)) find(name, matrix.rows, matrix.columns);
  const ladderMaps = state.tensors.flatMap(({ name }) => {
    const match = /^ladder\.(\d+)\.(\d+)\.linear$/.exec(name);
    return match === null ? [] : [{ level: Number(match[1]), start: Number(match[2]) }];
  });
  for (const { level, start } of ladderMaps) find(`ladder.${level}.${start}.shift`, 1, width);

  for (let first = 0; first < classes; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, classes - first);
    writeRows((await rows.read(first, count)).subarray(0, count * width), first, weights.rows);
    weights.generations.set((await generations.read(first, count)).subarray(0, count), first);
  }
  for (const [name, matrix] of namedMatrices(weights, false)) {
    write(await find(name, matrix.rows, matrix.columns).read(0, matrix.rows), matrix);
  }
  weights.ladder.reset(generation);
  for (const { level, start } of ladderMaps) {
    const linear = weights.backend.createMatrix(width, width);
    const shift = weights.backend.createMatrix(1, width);
    write(await find(`ladder.${level}.${start}.linear`, width, width).read(0, width), linear);
    write(await find(`ladder.${level}.${start}.shift`, 1, width).read(0, 1), shift);
    weights.ladder.insert({ level, start, linear, shift });
  }
  weights.markUpdated();
  weights.sweep.restore({
    cursor: wholeNumber(counters['cursor'], 'sweep.cursor'),
    debt: wholeNumber(counters['debt'], 'sweep.debt'),
    passBoundary: wholeNumber(counters['passBoundary'], 'sweep.passBoundary'),
    stepsInGeneration: wholeNumber(counters['stepsInGeneration'], 'sweep.stepsInGeneration'),
    pace: wholeNumber(counters['pace'], 'sweep.pace'),
  });
}

function* namedMatrices(weights: FactoredWeights, withLadder = true): Generator<[string, Matrix]> {
  yield ['map', weights.map];
  yield ['inverse', weights.inverse];
  yield ['shift', weights.shift];
  yield ['gram', weights.gram];
  yield ['column_sum', weights.columnSum];
  if (!withLadder) return;
  for (const { level, start, linear, shift } of weights.ladder.maps()) {
    yield [`ladder.${level}.${start}.linear`, linear];
    yield [`ladder.${level}.${start}.shift`, shift];
  }
}

function matrixSource(name: string, matrix: Matrix): TensorSource {
  const { rows, columns } = matrix;
  return {
    name,
    precision: matrix.backend.precision,
    rows,
    columns,
    read: async (first, count) => (await read(matrix)).subarray(first * columns, (first + count) * columns),
  };
}

function wholeNumber(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new OutputLayerError('state-mismatch', `factored layer: '${name}' in the state is ${String(value)}, expected a whole number`);
  }
  return value;
}
