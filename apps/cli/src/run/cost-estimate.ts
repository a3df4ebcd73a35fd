/**
 * What a training run will need, said before it starts: numbers from the model's sizes, time from this machine's own
 * gemm.
 */
import { createMatrixFrom, gemm, type Backend } from '@vastmax/linalg-core';
import { outputLayerOf } from '@vastmax/lm-models';
import type { TextModel } from '../text/text-model.ts';
import type { AnyTrainer } from './run-training.ts';

export interface CostEstimate {
  readonly outputParameters: number;
  readonly bytes: number;
  /** Of a checkpoint; while one replaces another both are on the disk. */
  readonly checkpointBytes: number;
  readonly seconds: number;
}

/** What of a model its cost follows from. */
export type CostedModel = Pick<TextModel, 'backend' | 'output' | 'outputChoice' | 'bodyParameters' | 'bodyOperations'>;

/** Share of a step that is not gemm, as measured on the plain backend. */
const overhead = 1.35;

/** @param examples that are still to be trained on. */
export async function estimateCost(
  model: CostedModel,
  trainer: AnyTrainer,
  batchSize: number,
  examples: number,
): Promise<CostEstimate> {
  const { output, backend, outputChoice } = model;
  const width = output.features + 1;
  const sizes = { classes: output.classes, width, batch: batchSize };
  const steps = Math.ceil(examples / batchSize);
  const tensors = Object.values(trainer.snapshot().modules).flatMap((module) => module.tensors);
  return {
    outputParameters: output.classes * width,
    bytes: backend.memory().bytes + 4 * output.classes,
    checkpointBytes: tensors.reduce(
      (sum, { rows, columns, precision }) => sum + rows * columns * (precision === 'f64' ? 8 : 4),
      0,
    ),
    seconds:
      (overhead *
        steps *
        (model.bodyOperations(batchSize) + outputLayerOf(outputChoice.kind).cost.operations(sizes, outputChoice))) /
      (await measureGemm(backend, batchSize, width)),
  };
}

/**
 * Floating-point operations a second at the size that a step mostly is: by the median, for another process may hold
 * this one up.
 */
async function measureGemm(backend: Backend, m: number, d: number): Promise<number> {
  const values = Float64Array.from({ length: m * d }, (_, i) => Math.sin(i));
  using a = createMatrixFrom(backend, m, d, values);
  using b = createMatrixFrom(
    backend,
    d,
    d,
    values.length >= d * d ? values.subarray(0, d * d) : new Float64Array(d * d).fill(0.5),
  );
  using out = backend.createMatrix(m, d);
  const product = async (): Promise<number> => {
    const start = performance.now();
    gemm(a, b, out);
    await backend.synchronize();
    return performance.now() - start;
  };
  await product();
  const milliseconds: number[] = [];
  for (const end = performance.now() + 150; performance.now() < end || milliseconds.length === 0;)
    milliseconds.push(await product());
  const median = milliseconds.sort((x, y) => x - y)[milliseconds.length >> 1] ?? 1;
  return (2 * m * d * d) / (Math.max(1e-3, median) / 1000);
}
