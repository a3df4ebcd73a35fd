/**
 * The factored layer as the benches make it: no bias feature, so that its width is the d of the operation counts, and a
 * start that costs little.
 */
import type { Backend } from '@vastmax/linalg-core';
import { trainingDefaults } from '@vastmax/lm-models';
import { RandomGenerator } from '@vastmax/sparse-data';
import {
  createBuiltInLoss,
  createFactoredOutputLayer,
  type FactoredOutputLayer,
  type FactoredOutputLayerOptions,
  type SphericalLoss,
} from '@vastmax/spherical-losses';

export interface LossSettings {
  readonly loss: SphericalLoss;
  readonly initialScale: number;
  /** Rate of the output layer, on the mean loss. */
  readonly learningRate: number;
}

/** The built-in loss with the options, the start and the rate that train (docs/experiments.md). */
export function settingsOf(lossName: string): LossSettings {
  const { lossOptions, initialScale, outputRate } = trainingDefaults(lossName);
  return { loss: createBuiltInLoss(lossName, lossOptions), initialScale, learningRate: outputRate };
}

const rowsOfStart = 1024;

/**
 * The same 1,024 random rows again and again: a step takes as long with them, and ten million others would take minutes
 * to draw.
 */
export async function createBenchLayer(
  backend: Backend,
  classes: number,
  features: number,
  { loss, initialScale }: LossSettings,
  more: Pick<FactoredOutputLayerOptions, 'onStabilization' | 'preconditioner'> = {},
): Promise<FactoredOutputLayer> {
  const random = new RandomGenerator(1);
  const start = Float32Array.from({ length: rowsOfStart * features }, () => initialScale * random.normal());
  return createFactoredOutputLayer(backend, {
    classes,
    features,
    loss,
    bias: false,
    initialRows: (_first, count) => rowsFrom(start, count * features),
    ...more,
  });
}

function rowsFrom(start: Float32Array, length: number): Float32Array {
  if (length <= start.length) return start.subarray(0, length);
  return Float32Array.from({ length }, (_, i) => start[i % start.length]!);
}
