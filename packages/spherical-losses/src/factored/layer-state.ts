/**
 * The factored layer's checkpoint: V as it is stored (not materialized), each row's rebase epoch, the current map and
 * its inverse, the tracked sums and the transform cache. Everything that the next step reads is saved bit for bit, so a
 * resumed run is bitwise the same as an uninterrupted one. O(d²·log) besides V, which is read in blocks.
 *
 * Names on disk are older than those in the code, so that old checkpoints can be read: `generation` and `generations`
 * are the rebase epochs, of the layer and of the rows, `ladder.*` the transform cache, and `sweep.stepsInGeneration`
 * the steps in the current epoch.
 */
import type { Matrix } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import type { FactoredWeights } from './factored-weights.ts';
import { rowsPerBlock } from './gram-matrix.ts';
import type { FactoredOutputLayerOptions } from './layer-options.ts';
import {
  checkSame,
  checkWholeNumber,
  findTensor,
  matrixTensor,
  restoreMatrix,
  restoreTable,
  tableTensor,
  type JsonObject,
  type ModuleState,
  type TensorSource,
  StateError,
} from '@vastmax/linalg-core/state';
import type { SphericalLoss } from '../losses/loss.ts';
import type { ClassConstants } from './class-scores.ts';
import type { FactoredStep } from './factored-step.ts';
import type { SweepState } from './rebase-schedule.ts';

const constantsTensor = 'class_constants';
const preconditionerTensor = 'preconditioner';
const secondMomentTensor = 'second_moment';

type Layer = Pick<OutputLayer, 'kind' | 'classes' | 'features' | 'backend'> & {
  readonly bias: boolean;
  readonly loss: SphericalLoss;
};

/**
 * @param constants this process's own.
 * @param more additional configuration.
 */
export function stateOf(
  { kind, classes, features, bias, loss, backend }: Layer,
  { reduction = 'mean', weightDecay = 0 }: Pick<FactoredOutputLayerOptions, 'reduction' | 'weightDecay'>,
  { steps, singularSteps, rebaseControl, preconditioner, constants: all }: FactoredStep,
  weights: FactoredWeights,
  constants: ClassConstants | undefined,
  more: JsonObject = {},
): ModuleState {
  const { cursor, debt, passBoundary, stepsInEpoch, pace } = weights.sweep.state();
  const tensors: TensorSource[] = [
    tableTensor('rows', weights.rows),
    {
      name: 'generations',
      precision: 'i32',
      rows: weights.classes,
      columns: 1,
      read: (first, count) => Promise.resolve(weights.rowEpochs.slice(first, first + count)),
    },
  ];
  for (const [name, matrix] of namedMatrices(weights)) tensors.push(matrixTensor(name, matrix));
  if (constants !== undefined) tensors.push(tableTensor(constantsTensor, constants.table));
  if (preconditioner !== undefined) {
    tensors.push(matrixTensor(preconditionerTensor, preconditioner.matrix));
    tensors.push(matrixTensor(secondMomentTensor, preconditioner.secondMoment));
  }
  return {
    configuration: {
      kind,
      classes,
      features,
      bias,
      reduction,
      weightDecay,
      loss: { name: loss.name, options: loss.options },
      precision: backend.precision,
      steps,
      singularSteps,
      constantSum: all?.sum ?? 0,
      condition: rebaseControl.state(),
      ...more,
      generation: weights.transforms.epoch,
      sweep: { cursor, debt, passBoundary, stepsInGeneration: stepsInEpoch, pace },
    },
    tensors,
  };
}

/** @throws StateError `state-mismatch` naming the first key in which the state is of another layer. */
export function checkConfiguration(mine: JsonObject, given: JsonObject): void {
  for (const key of ['kind', 'classes', 'features', 'bias', 'loss', 'precision'])
    checkSame('factored layer', key, mine[key], given[key]);
}

/**
 * Restores a state whose configuration has been checked. A preconditioner that the state does not have begins anew, and
 * one that only the state has is left out: W is the same.
 * @param constants this process's own; their values are replaced, but the caller must restore their sum.
 * @throws StateError `state-mismatch`; nothing has changed.
 */
export async function restoreState(
  state: ModuleState,
  step: FactoredStep,
  weights: FactoredWeights,
  constants: ClassConstants | undefined,
): Promise<void> {
  const { configuration } = state;
  const steps = wholeNumber(configuration['steps'], 'steps');
  const singularSteps = wholeNumber(configuration['singularSteps'], 'singularSteps');
  constantSumOf(state);
  if (constants !== undefined) findTensor(state, constantsTensor, constants.table.rows, 1);
  const { preconditioner } = step;
  const isPreconditioned = state.tensors.some(({ name }) => name === preconditionerTensor);
  if (preconditioner !== undefined && isPreconditioned) {
    findTensor(state, preconditionerTensor, weights.width, weights.width);
    findTensor(state, secondMomentTensor, weights.width, weights.width);
  }
  await restoreWeights(weights, state);
  preconditioner?.reset();
  if (preconditioner !== undefined && isPreconditioned) {
    await restoreMatrix(state, preconditionerTensor, preconditioner.matrix);
    await restoreMatrix(state, secondMomentTensor, preconditioner.secondMoment);
  }
  if (constants !== undefined) await restoreTable(state, constantsTensor, constants.table);
  step.forgetPending();
  step.steps = steps;
  step.singularSteps = singularSteps;
  step.rebaseControl.restore(configuration['condition']);
}

/**
 * The sum of the class constants as it was computed: later classes are added to it.
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

async function restoreWeights(weights: FactoredWeights, state: ModuleState): Promise<void> {
  const epoch = wholeNumber(state.configuration['generation'], 'generation');
  const sweep = state.configuration['sweep'];
  if (typeof sweep !== 'object' || sweep === null || Array.isArray(sweep)) {
    throw new StateError('state-mismatch', 'factored layer: the state has no sweep counters');
  }
  const counters = sweep as JsonObject;
  const sweepState: SweepState = {
    cursor: wholeNumber(counters['cursor'], 'sweep.cursor'),
    debt: wholeNumber(counters['debt'], 'sweep.debt'),
    passBoundary: wholeNumber(counters['passBoundary'], 'sweep.passBoundary'),
    stepsInEpoch: wholeNumber(counters['stepsInGeneration'], 'sweep.stepsInGeneration'),
    pace: wholeNumber(counters['pace'], 'sweep.pace'),
  };
  const { classes, width } = weights;
  findTensor(state, 'rows', classes, width);
  const generations = findTensor(state, 'generations', classes, 1);
  for (const [name, matrix] of namedMatrices(weights, false)) findTensor(state, name, matrix.rows, matrix.columns);
  const transforms = state.tensors.flatMap(({ name }) => {
    const match = /^ladder\.(\d+)\.(\d+)\.linear$/.exec(name);
    return match === null ? [] : [{ level: Number(match[1]), start: Number(match[2]) }];
  });
  for (const { level, start } of transforms) {
    findTensor(state, `ladder.${level}.${start}.linear`, width, width);
    findTensor(state, `ladder.${level}.${start}.shift`, 1, width);
  }
  const rowEpochs = await readRowEpochs(
    generations,
    epoch,
    new Set(transforms.flatMap(({ level, start }) => (level === 0 ? [start] : []))),
  );

  // All checks that can reject the state are done: from here on the layer changes.
  await restoreTable(state, 'rows', weights.rows);
  weights.noteAllChanged();
  weights.rowEpochs = rowEpochs;
  for (const [name, matrix] of namedMatrices(weights, false)) await restoreMatrix(state, name, matrix);
  weights.transforms.reset(epoch);
  for (const { level, start } of transforms) {
    const linear = weights.backend.createMatrix(width, width);
    const shift = weights.backend.createMatrix(1, width);
    await restoreMatrix(state, `ladder.${level}.${start}.linear`, linear);
    await restoreMatrix(state, `ladder.${level}.${start}.shift`, shift);
    weights.transforms.insert({ level, start, linear, shift });
  }
  weights.markUpdated();
  weights.sweep.restore(sweepState);
}

/** The epoch of each row; checks that the state's transforms can convert each row to the current epoch. */
async function readRowEpochs(
  source: TensorSource,
  current: number,
  singleRebases: ReadonlySet<number>,
): Promise<Int32Array> {
  const epochs = new Int32Array(source.rows);
  let oldest = current;
  for (let first = 0; first < source.rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, source.rows - first);
    epochs.set((await source.read(first, count)).subarray(0, count), first);
    for (let row = first; row < first + count; row++) {
      const epoch = epochs[row]!;
      if (epoch < 0 || epoch > current) {
        throw new StateError(
          'state-mismatch',
          `factored layer: row ${row} is of rebase epoch ${epoch} in the state, it must be from 0 to ${current}`,
        );
      }
      if (epoch < oldest) oldest = epoch;
    }
  }
  for (let epoch = oldest; epoch < current; epoch++) {
    if (singleRebases.has(epoch)) continue;
    throw new StateError(
      'state-mismatch',
      `factored layer: the state has rows of rebase epoch ${oldest} and no transform of epoch ${epoch}, the current is ${current}`,
    );
  }
  return epochs;
}

function* namedMatrices(weights: FactoredWeights, withTransforms = true): Generator<[string, Matrix]> {
  yield ['map', weights.map];
  yield ['inverse', weights.inverse];
  yield ['shift', weights.shift];
  yield ['centred_gram', weights.centredGram];
  yield ['column_sum', weights.columnSum];
  if (!withTransforms) return;
  for (const { level, start, linear, shift } of weights.transforms.transforms()) {
    yield [`ladder.${level}.${start}.linear`, linear];
    yield [`ladder.${level}.${start}.shift`, shift];
  }
}

function wholeNumber(value: unknown, name: string): number {
  return checkWholeNumber('factored layer', name, value);
}
