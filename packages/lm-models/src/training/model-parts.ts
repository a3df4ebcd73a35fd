/** A model is a body and an output layer. What fails while one is made or restored leaves nothing behind. */
import type { ModuleState } from '@vastmax/linalg-core/state';
import type { OutputLayer } from '@vastmax/output-layer';
import type { Body } from '../models/body.ts';
import type { OutputLayerFactory } from '../output-layers/create-output-layer.ts';
import type { OutputLayerChoice } from '../output-layers/output-layer-choice.ts';

type AnyBody = Pick<Body<never>, 'backend' | 'features' | 'restore'> & Disposable;

/** The output layer for a body; without one the body is disposed. @param frequencies of the classes. */
export async function outputFor(
  body: AnyBody,
  frequencies: Float64Array,
  choice: OutputLayerChoice,
  createOutput: OutputLayerFactory,
): Promise<OutputLayer> {
  try {
    return await createOutput(body.backend, { features: body.features, frequencies }, choice);
  } catch (error) {
    body[Symbol.dispose]();
    throw error;
  }
}

/** The model with the weights of a checkpoint; a model that they do not fit is disposed. */
export async function restored<Model extends { readonly body: AnyBody; readonly output: OutputLayer } & Disposable>(
  model: Model,
  saved: { module(name: string): ModuleState },
): Promise<Model> {
  try {
    await model.body.restore(saved.module('body'));
    await model.output.restore(saved.module('output'));
    return model;
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
}
