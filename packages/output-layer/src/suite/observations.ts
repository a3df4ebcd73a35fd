/** What a case observes of a layer, copied to the host, and how two observations are compared. */
import { read } from '@vastmax/linalg-core';
import { isStateError, type JsonObject } from '@vastmax/linalg-core/state';
import { expect } from 'vitest';
import { isOutputLayerError, type OutputLayerErrorCode } from '../errors.ts';
import type { OutputLayer, StepOptions } from '../output-layer.ts';
import { createMinibatch, learningRate, placed, type Minibatch } from './minibatches.ts';

export interface ObservedStep {
  readonly losses: Float64Array;
  readonly hiddenGradient: Float64Array;
}

/** A verified step: a layer that verifies asynchronously rejects here what others reject in the step. */
export async function stepOn(
  layer: OutputLayer,
  batch: Minibatch,
  options: Partial<StepOptions> = {},
): Promise<ObservedStep> {
  using hidden = placed(layer.backend, batch);
  const result = await layer.step(hidden, batch.targets, { learningRate, ...options });
  await layer.confirmSteps?.();
  expect([result.losses.rows, result.losses.columns], 'the losses are m×1').toEqual([hidden.rows, 1]);
  expect([result.hiddenGradient.rows, result.hiddenGradient.columns], 'the gradient is as hidden').toEqual([
    hidden.rows,
    hidden.columns,
  ]);
  return {
    losses: Float64Array.from(await read(result.losses)),
    hiddenGradient: Float64Array.from(await read(result.hiddenGradient)),
  };
}

export async function evaluateOn(layer: OutputLayer, batch: Minibatch): Promise<Float64Array> {
  using hidden = placed(layer.backend, batch);
  const losses = await layer.evaluate(hidden, batch.targets);
  expect([losses.rows, losses.columns], 'the losses are m×1').toEqual([hidden.rows, 1]);
  return Float64Array.from(await read(losses));
}

/** m×D scores for a fixed hidden matrix: they depend on all weights. */
export async function allScores(layer: OutputLayer, batch: Minibatch = createMinibatch(6, 99)): Promise<Float64Array> {
  using hidden = placed(layer.backend, batch);
  using out = layer.backend.createMatrix(hidden.rows, layer.classes);
  layer.scores(hidden, 0, out);
  return Float64Array.from(await read(out));
}

/** Trains a few steps, so that a case does not test the initial weights alone. */
export async function warmUp(layer: OutputLayer, steps = 8): Promise<void> {
  for (let step = 0; step < steps; step++) await stepOn(layer, createMinibatch(4, 500 + step));
}

export interface LayerSnapshot {
  readonly configuration: JsonObject;
  readonly tensors: readonly (readonly [name: string, values: Float64Array])[];
  readonly scores: Float64Array;
}

/** Everything that a checkpoint would hold, and all scores. */
export async function snapshotOf(layer: OutputLayer, batch?: Minibatch): Promise<LayerSnapshot> {
  const { configuration, tensors } = layer.state();
  const copies: (readonly [string, Float64Array])[] = [];
  for (const tensor of tensors) {
    copies.push([
      tensor.name,
      Float64Array.from((await tensor.read(0, tensor.rows)).subarray(0, tensor.rows * tensor.columns)),
    ]);
  }
  return { configuration, tensors: copies, scores: await allScores(layer, batch) };
}

export async function expectUnchanged(layer: OutputLayer, before: LayerSnapshot, after: string): Promise<void> {
  expect(await snapshotOf(layer), `the layer is as it was before ${after}`).toEqual(before);
}

/** Largest difference over the largest expected magnitude; NaN where either holds one. */
function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    magnitude = Math.max(magnitude, Math.abs(expected[i]!));
  }
  return magnitude === 0 ? difference : difference / magnitude;
}

/**
 * What two ways to the same numbers may differ by, relative to the largest: rounding of the precision that the layer
 * stores.
 */
export function toleranceOf({ backend }: Pick<OutputLayer, 'backend'>): number {
  return backend.precision === 'f64' ? 1e-11 : 5e-5;
}

export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
  tolerance: number,
): void {
  expect(actual.length, `${what}: how many`).toBe(expected.length);
  expect(relativeDifference(actual, expected), what).toBeLessThanOrEqual(tolerance);
}

/** Whether the call throws or rejects. */
export async function expectRefusal(
  call: () => unknown,
  code: OutputLayerErrorCode | 'state-mismatch',
  mentions: readonly unknown[] = [],
): Promise<void> {
  let caught: unknown;
  try {
    await call();
  } catch (error) {
    caught = error;
  }
  const [kind, isExpected] =
    code === 'state-mismatch' ? ['a StateError', isStateError] : ['an OutputLayerError', isOutputLayerError];
  if (!isExpected(caught)) throw new Error(`expected ${kind} '${code}', got ${String(caught)}`, { cause: caught });
  expect(caught.code, caught.message).toBe(code);
  for (const value of mentions) expect(caught.message, 'the message names both values').toContain(String(value));
}
