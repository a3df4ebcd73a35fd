/** One rank's shard of the layer's state: its rows, its class constants and the replicated matrices. */
import type { OutputLayer } from '@vastmax/output-layer';
import type { SphericalLoss } from '@vastmax/spherical-losses';
import { checkConfiguration, configurationOf, restoreWeights, stateOf, stepCountsOf, type FactoredWeights } from '@vastmax/spherical-losses/factored-parts';
import type { Communicator } from '@vastmax/collectives';
import type { DistributedFactoredLayerOptions } from './layer-options.ts';
import { ownShardOf } from './own-shard.ts';
import type { UnionStep } from './union-step.ts';
import type { ModuleState } from '@vastmax/linalg-core/state';

type Layer = Pick<OutputLayer, 'kind' | 'classes' | 'features' | 'backend'> & {
  readonly communicator: Communicator;
  readonly loss: SphericalLoss;
  readonly bias: boolean;
};

/** No collective. */
export function ownStateOf(
  layer: Layer,
  options: DistributedFactoredLayerOptions,
  weights: FactoredWeights,
  step: UnionStep,
): ModuleState {
  const { rank, size } = layer.communicator;
  const { steps, singularSteps, generations, constants } = step;
  const { configuration, tensors } = stateOf(weights, {
    ...configurationOf(layer, options, { steps, singularSteps, generations, constants: constants?.all }),
    shard: { rank, size },
  });
  return { configuration, tensors: constants === undefined ? tensors : [...tensors, constants.tensor()] };
}

/**
 * What of `given`, a shard or a whole state, belongs to this rank. No collective; the generations' control and the
 * constants of other ranks' classes are left.
 * @param mine the configuration of the layer as it is.
 * @throws StateError `state-mismatch`, as a rejection.
 */
export async function restoreOwnState(
  layer: Layer,
  given: ModuleState,
  mine: ModuleState['configuration'],
  weights: FactoredWeights,
  step: UnionStep,
): Promise<void> {
  const { rank, size } = layer.communicator;
  checkConfiguration(mine, given.configuration, ['kind', 'classes', 'features', 'bias', 'loss', 'precision']);
  const state = ownShardOf('factored layer', given, { rank, size }, layer.classes);
  const { steps, singularSteps } = stepCountsOf(state);
  step.constants?.check(state);
  await restoreWeights(weights, state);
  await step.constants?.restore(state);
  step.steps = steps;
  step.singularSteps = singularSteps;
}
