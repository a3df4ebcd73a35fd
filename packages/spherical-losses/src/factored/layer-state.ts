/**
 * The factored layer's checkpoint: V as it is stored (not settled), each row's generation, the current map and its
 * inverse, the tracked sums and the ladder. Everything that the next step reads is there bit for bit, so a resumed run
 * and one that never stopped are the same run. O(d²·log) besides V, which is read by blocks.
 */
import type { Matrix } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import type { SphericalLoss } from '../loss.ts';
import type { SweepState } from './background-sweep.ts';
import type { ClassConstants } from './class-constants.ts';
import type { FactoredWeights } from './factored-weights.ts';
import type { GenerationControl } from './generation-control.ts';
import { rowsPerBlock } from './gram-matrix.ts';
import type { FactoredOutputLayerOptions } from './layer-options.ts';
import { checkSame, checkWholeNumber, findTensor, matrixTensor, restoreMatrix, restoreTable, tableTensor, type JsonObject, type ModuleState, type TensorSource, StateError } from '@vastmax/linalg-core/state';

export interface StepCounts {
  readonly steps: number;
  readonly singularSteps: number;
}

/** What the state says of the layer beside its weights. */
export function configurationOf(
  {
    kind,
    classes,
    features,
    bias,
    loss,
    backend,
  }: Pick<OutputLayer, 'kind' | 'classes' | 'features' | 'backend'> & {
    readonly bias: boolean;
    readonly loss: SphericalLoss;
  },
  { reduction = 'mean', weightDecay = 0 }: Pick<FactoredOutputLayerOptions, 'reduction' | 'weightDecay'>,
  {
    steps,
    singularSteps,
    constants,
    generations,
  }: StepCounts & { readonly constants: ClassConstants | undefined; readonly generations: GenerationControl },
): JsonObject {
  const { name, options } = loss;
  return {
    kind,
    classes,
    features,
    bias,
    reduction,
    weightDecay,
    loss: { name, options },
    precision: backend.precision,
    steps,
    singularSteps,
    constantSum: constants?.sum ?? 0,
    condition: generations.state(),
  };
}

/** @throws StateError `state-mismatch` naming the first of `keys` in which the state is of another layer. */
export function checkConfiguration(mine: JsonObject, given: JsonObject, keys: readonly string[]): void {
  for (const key of keys) checkSame('factored layer', key, mine[key], given[key]);
}

/** @throws StateError `state-mismatch`. */
export function stepCountsOf({ configuration }: ModuleState): StepCounts {
  return {
    steps: wholeNumber(configuration['steps'], 'steps'),
    singularSteps: wholeNumber(configuration['singularSteps'], 'singularSteps'),
  };
}

/**
 * The class constants' sum as it was added up: classes that came later are added to it.
 * @throws StateError `state-mismatch`.
 */
export function constantSumOf({ configuration }: ModuleState): number {
  const constantSum = configuration['constantSum'];
  if (typeof constantSum === 'number' && Number.isFinite(constantSum)) return constantSum;
  throw new StateError(
    'state-mismatch',
    `factored layer: 'constantSum' in the state is ${String(constantSum)}, expected a number`,
  );
}

/** Which tensors of the layer's state have a row for each class; the others are the same on every rank of a job. */
export const classRowTensors: readonly string[] = ['rows', 'generations', 'class_constants'];

export function stateOf(weights: FactoredWeights, configuration: JsonObject): ModuleState {
  const tensors: TensorSource[] = [
    tableTensor('rows', weights.rows),
    {
      name: 'generations',
      precision: 'i32',
      rows: weights.classes,
      columns: 1,
      read: (first, count) => Promise.resolve(weights.generations.slice(first, first + count)),
    },
  ];
  for (const [name, matrix] of namedMatrices(weights)) tensors.push(matrixTensor(name, matrix));
  return {
    configuration: { ...configuration, generation: weights.ladder.current, sweep: { ...weights.sweep.state() } },
    tensors,
  };
}

export async function restoreWeights(weights: FactoredWeights, state: ModuleState): Promise<void> {
  const generation = wholeNumber(state.configuration['generation'], 'generation');
  const sweep = state.configuration['sweep'];
  if (typeof sweep !== 'object' || sweep === null || Array.isArray(sweep)) {
    throw new StateError('state-mismatch', 'factored layer: the state has no sweep counters');
  }
  const counters = sweep as JsonObject;
  const sweepState: SweepState = {
    cursor: wholeNumber(counters['cursor'], 'sweep.cursor'),
    debt: wholeNumber(counters['debt'], 'sweep.debt'),
    passBoundary: wholeNumber(counters['passBoundary'], 'sweep.passBoundary'),
    stepsInGeneration: wholeNumber(counters['stepsInGeneration'], 'sweep.stepsInGeneration'),
    pace: wholeNumber(counters['pace'], 'sweep.pace'),
  };
  const { classes, width } = weights;
  findTensor(state, 'rows', classes, width);
  const generations = findTensor(state, 'generations', classes, 1);
  for (const [name, matrix] of namedMatrices(weights, false)) findTensor(state, name, matrix.rows, matrix.columns);
  const ladderMaps = state.tensors.flatMap(({ name }) => {
    const match = /^ladder\.(\d+)\.(\d+)\.linear$/.exec(name);
    return match === null ? [] : [{ level: Number(match[1]), start: Number(match[2]) }];
  });
  for (const { level, start } of ladderMaps) {
    findTensor(state, `ladder.${level}.${start}.linear`, width, width);
    findTensor(state, `ladder.${level}.${start}.shift`, 1, width);
  }
  const rowGenerations = await readGenerations(
    generations,
    generation,
    new Set(ladderMaps.flatMap(({ level, start }) => (level === 0 ? [start] : []))),
  );

  // Everything that can be refused has been: from here on the layer changes.
  await restoreTable(state, 'rows', weights.rows);
  weights.generations = rowGenerations;
  for (const [name, matrix] of namedMatrices(weights, false)) await restoreMatrix(state, name, matrix);
  weights.ladder.reset(generation);
  for (const { level, start } of ladderMaps) {
    const linear = weights.backend.createMatrix(width, width);
    const shift = weights.backend.createMatrix(1, width);
    await restoreMatrix(state, `ladder.${level}.${start}.linear`, linear);
    await restoreMatrix(state, `ladder.${level}.${start}.shift`, shift);
    weights.ladder.insert({ level, start, linear, shift });
  }
  weights.markUpdated();
  weights.sweep.restore(sweepState);
}

/** The generation of each row, each one that the state's ladder can lead to the current one. */
async function readGenerations(
  source: TensorSource,
  current: number,
  singleMaps: ReadonlySet<number>,
): Promise<Int32Array> {
  const generations = new Int32Array(source.rows);
  let oldest = current;
  for (let first = 0; first < source.rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, source.rows - first);
    generations.set((await source.read(first, count)).subarray(0, count), first);
    for (let row = first; row < first + count; row++) {
      const generation = generations[row]!;
      if (generation < 0 || generation > current) {
        throw new StateError(
          'state-mismatch',
          `factored layer: row ${row} is of generation ${generation} in the state, it must be from 0 to ${current}`,
        );
      }
      if (generation < oldest) oldest = generation;
    }
  }
  for (let generation = oldest; generation < current; generation++) {
    if (singleMaps.has(generation)) continue;
    throw new StateError(
      'state-mismatch',
      `factored layer: the state has rows of generation ${oldest} and no map of generation ${generation}, the current is ${current}`,
    );
  }
  return generations;
}

function* namedMatrices(weights: FactoredWeights, withLadder = true): Generator<[string, Matrix]> {
  yield ['map', weights.map];
  yield ['inverse', weights.inverse];
  yield ['shift', weights.shift];
  yield ['centred_gram', weights.centredGram];
  yield ['column_sum', weights.columnSum];
  if (!withLadder) return;
  for (const { level, start, linear, shift } of weights.ladder.maps()) {
    yield [`ladder.${level}.${start}.linear`, linear];
    yield [`ladder.${level}.${start}.shift`, shift];
  }
}

function wholeNumber(value: unknown, name: string): number {
  return checkWholeNumber('factored layer', name, value);
}
