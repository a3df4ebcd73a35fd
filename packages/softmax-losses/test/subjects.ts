/**
 * A layer of this package as a subject of the output layer suite: plain f64 with every case, wasm f32 with those that
 * do not measure rounding.
 */
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createPlainBackend, type Backend } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import { describeOutputLayer, outputLayerCases, type LayerRequest } from '@vastmax/output-layer/suite';
import { createUpdateRule, type UpdateRule } from '@vastmax/update-rules';
import { describe, it } from 'vitest';
import { NaiveTwin, type NaiveModel } from './naive-twin.ts';

export interface Subject {
  readonly name: string;
  create(backend: Backend, request: LayerRequest, rule: UpdateRule): Promise<OutputLayer>;
  /** For a layer whose loss is −Σ y log p: what p is made of. Absent where the loss is another. */
  model?(request: LayerRequest, weights: Float64Array): NaiveModel;
}

const notApplicable = { 'minibatch/example-weights-scale-the-update': 'Adam is not linear in the gradient' };

/**
 * The whole suite with SGD, compared with the naive twin, and with Adam; then what does not measure rounding on wasm
 * f32, with momentum.
 */
export function describeSubject(subject: Subject): void {
  const { name, model } = subject;
  describeOutputLayer({
    name: `${name}, sgd`,
    backend: () => createPlainBackend({ precision: 'f64' }),
    create: (backend, request) => subject.create(backend, request, createUpdateRule('sgd')),
    ...(model === undefined
      ? {}
      : {
          reference: {
            readWeights,
            createTwin: (weights: Float64Array, request: LayerRequest) =>
              new NaiveTwin(weights, model(request, weights), request.features),
          },
        }),
  });
  describeOutputLayer({
    name: `${name}, adam`,
    backend: () => createPlainBackend({ precision: 'f64' }),
    create: (backend, request) => subject.create(backend, request, createUpdateRule('adam')),
    notApplicable,
  });
  describe(`output layer: ${name} on wasm f32`, () => {
    for (const { id, run } of outputLayerCases) {
      if (!/^(restore|lifetime|bad-input)\//.test(id)) continue;
      it(id, async () => {
        const backend = await createWasmBackend();
        await run({
          name,
          backend: () => backend,
          create: (b, request) => subject.create(b, request, createUpdateRule('momentum')),
        });
        await backend.dispose();
      });
    }
  });
}

/** All floating point tensors of the state, one after the other. */
export async function readWeights(layer: OutputLayer): Promise<Float64Array> {
  const parts: number[] = [];
  for (const { precision, rows, columns, read } of layer.state().tensors) {
    if (precision !== 'i32') parts.push(...(await read(0, rows)).subarray(0, rows * columns));
  }
  return Float64Array.from(parts);
}
