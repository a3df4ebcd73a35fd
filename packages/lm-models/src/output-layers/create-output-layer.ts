import type { Backend } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import { createBuiltInLoss, createFactoredOutputLayer } from '@vastmax/spherical-losses';

export const outputLayerNames = ['factored'] as const;
export type OutputLayerName = (typeof outputLayerNames)[number];

/** An output layer as configuration: plain JSON, kept in checkpoints. */
export interface OutputLayerChoice {
  readonly kind: OutputLayerName;
  readonly loss: { readonly name: string; readonly options: Readonly<Record<string, number>> };
  readonly initialScale: number;
  readonly weightDecay?: number;
  readonly seed: number;
}

/** @throws RangeError for an unknown kind or loss. O(D·d²) for the factored layer, once. */
export function createOutputLayer(
  backend: Backend,
  classes: number,
  features: number,
  choice: OutputLayerChoice,
): Promise<OutputLayer> {
  if (!outputLayerNames.includes(choice.kind)) {
    throw new RangeError(`no output layer is called '${String(choice.kind)}'; there are ${outputLayerNames.join(', ')}`);
  }
  return createFactoredOutputLayer(backend, {
    classes,
    features,
    loss: createBuiltInLoss(choice.loss.name, choice.loss.options),
    initialScale: choice.initialScale,
    seed: choice.seed,
    ...(choice.weightDecay === undefined ? {} : { weightDecay: choice.weightDecay }),
  });
}

/** A start that trains, for an n-gram model of width about 128 and minibatches of 256 with plain SGD (docs/experiments.md). */
export interface TrainingDefaults {
  readonly lossOptions: Readonly<Record<string, number>>;
  readonly initialScale: number;
  readonly outputRate: number;
  readonly bodyRate: number;
}

const defaults: Readonly<Record<string, TrainingDefaults>> = {
  'z-loss': { lossOptions: { a: 0.1, b: 10 }, initialScale: 0.01, outputRate: 1, bodyRate: 10 },
  'spherical-softmax': { lossOptions: { epsilon: 1 }, initialScale: 0.003, outputRate: 20, bodyRate: 10 },
  'taylor-softmax': { lossOptions: {}, initialScale: 0.003, outputRate: 20, bodyRate: 10 },
  'squared-error': { lossOptions: { targetValue: 10 }, initialScale: 0.001, outputRate: 0.02, bodyRate: 1 },
};

/** @throws RangeError for an unknown loss. */
export function trainingDefaults(loss: string): TrainingDefaults {
  const found = Object.hasOwn(defaults, loss) ? defaults[loss] : undefined;
  if (found === undefined) throw new RangeError(`no loss is called '${loss}'; there are ${Object.keys(defaults).join(', ')}`);
  return found;
}
