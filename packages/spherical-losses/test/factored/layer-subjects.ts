/** The factored layer as a subject of the output layer suite, with its dense twin. */
import { createPlainBackend, read, type Backend, type Matrix } from '@vastmax/linalg-core';
import type { OutputLayer, StepOptions } from '@vastmax/output-layer';
import type { DenseTwin, LayerCall, LayerRequest, LayerUnderTest } from '@vastmax/output-layer/suite';
import type { CsrRows } from '@vastmax/sparse-data';
import {
  createFactoredOutputLayer,
  type FactoredOutputLayer,
  type PreconditionerOptions,
  type SphericalLoss,
  type UpdateForm,
} from '@vastmax/spherical-losses';
import { DensePreconditioner, DenseReference, type ReferenceLoss } from '@vastmax/spherical-losses/testing';

const probeRequest: LayerRequest = { classes: 7, features: 3, seed: 1 };
const createF64Backend = (): Backend => createPlainBackend({ precision: 'f64' });

/** A reference of width features + 1 behind hidden activations of width features. */
class BiasedTwin implements DenseTwin {
  readonly #dense: DenseReference;
  readonly #features: number;
  readonly #preconditioner: DensePreconditioner | undefined;

  constructor(dense: DenseReference, features: number, preconditioner: DensePreconditioner | undefined) {
    this.#dense = dense;
    this.#features = features;
    this.#preconditioner = preconditioner;
  }

  get weights(): Float64Array {
    return this.#dense.weights;
  }

  step(
    hidden: Float64Array,
    targets: CsrRows,
    options: StepOptions,
  ): { losses: Float64Array; hiddenGradient: Float64Array } {
    const { learningRate, exampleWeights } = options;
    const width = this.#features + 1;
    const extended = Float64Array.from({ length: targets.rows * width }, (_, i) =>
      i % width === this.#features ? 1 : hidden[Math.floor(i / width) * this.#features + (i % width)]!,
    );
    const { losses, hiddenGradient } = this.#dense.step(extended, targets, learningRate, {
      preconditioner: this.#preconditioner,
      ...(exampleWeights === undefined ? {} : { exampleWeights }),
    });
    return { losses, hiddenGradient: hiddenGradient.filter((_, i) => i % width !== this.#features) };
  }
}

export async function readWeights(layer: FactoredOutputLayer): Promise<ArrayLike<number>> {
  using out = layer.backend.createMatrix(layer.classes, layer.width);
  layer.denseRows(0, out);
  return read(out);
}

/** A call that writes into a matrix, which is read at once. */
function into(
  rows: (hidden: Matrix) => number,
  columns: (layer: FactoredOutputLayer) => number,
  call: (layer: FactoredOutputLayer, hidden: Matrix, out: Matrix, classes: Int32Array) => void,
): LayerCall<FactoredOutputLayer>['start'] {
  return (layer, hidden, classes) => {
    using out = layer.backend.createMatrix(rows(hidden), columns(layer));
    call(layer, hidden, out, classes);
    return read(out).then((values) => values.slice());
  };
}

/** What the layer can do beyond the interface. */
const factoredCalls: readonly LayerCall<FactoredOutputLayer>[] = [
  { name: 'verify', start: (layer) => layer.verify() },
  { name: 'materialize', start: (layer) => layer.materialize() },
  {
    name: 'denseRows',
    isSynchronous: true,
    start: into(
      () => 4,
      ({ width }) => width,
      (layer, _hidden, out) => {
        layer.denseRows(1, out);
      },
    ),
  },
  {
    name: 'addClasses',
    isSynchronous: true,
    isFinal: true,
    start: (layer) => {
      const hasConstants = layer.loss.classConstants !== undefined;
      layer.addClasses(new Float64Array(2 * layer.width).fill(0.3), hasConstants ? [0.5, 0.6] : undefined);
    },
  },
];

/** And with a loss that is a distribution. */
const probabilityCalls: readonly LayerCall<FactoredOutputLayer>[] = [
  {
    name: 'classLogProbabilities',
    isSynchronous: true,
    start: into(
      ({ rows }) => rows,
      () => 1,
      (layer, hidden, out, classes) => {
        layer.classLogProbabilities(hidden, classes, out);
      },
    ),
  },
  {
    name: 'logProbabilities',
    isSynchronous: true,
    start: into(
      ({ rows }) => rows,
      () => 3,
      (layer, hidden, out) => {
        layer.logProbabilities(hidden, 2, out);
      },
    ),
  },
];

export interface SubjectOptions {
  readonly loss: (request: LayerRequest) => SphericalLoss;
  readonly reference?: ReferenceLoss;
  readonly form?: UpdateForm;
  readonly preconditioner?: PreconditionerOptions;
}

export function factoredSubject(name: string, options: SubjectOptions): LayerUnderTest<FactoredOutputLayer> {
  const { loss, reference, form, preconditioner } = options;
  return {
    name,
    backend: createF64Backend,
    moreCalls: [...factoredCalls, ...(loss(probeRequest).isNormalized ? probabilityCalls : [])],
    create: (backend, request) =>
      createFactoredOutputLayer(backend, {
        classes: request.classes,
        features: request.features,
        seed: request.seed,
        initialScale: 0.3,
        loss: loss(request),
        ...(form === undefined ? {} : { form }),
        ...(preconditioner === undefined ? {} : { preconditioner }),
      }),
    ...(reference === undefined
      ? {}
      : {
          reference: {
            readWeights,
            createTwin: (weights, request) =>
              new BiasedTwin(
                new DenseReference(weights, request.features + 1, reference),
                request.features,
                preconditioner && new DensePreconditioner(request.features + 1, preconditioner),
              ),
          },
        }),
  };
}

/** Another layer's methods under a hand of one's own; what is not overridden goes through. */
export function wrapped(
  layer: OutputLayer,
  overrides: Partial<Pick<OutputLayer, 'step' | 'evaluate' | 'restore'>>,
): OutputLayer {
  return {
    backend: layer.backend,
    kind: layer.kind,
    classes: layer.classes,
    features: layer.features,
    isNormalized: layer.isNormalized,
    step: overrides.step ?? ((hidden, targets, options) => layer.step(hidden, targets, options)),
    evaluate: overrides.evaluate ?? ((hidden, targets) => layer.evaluate(hidden, targets)),
    scores: (hidden, firstClass, out) => {
      layer.scores(hidden, firstClass, out);
    },
    classScores: (hidden, classes, out) => {
      layer.classScores(hidden, classes, out);
    },
    classVectors: (firstClass, out) => {
      layer.classVectors(firstClass, out);
    },
    state: () => layer.state(),
    restore: overrides.restore ?? ((state) => layer.restore(state)),
    [Symbol.dispose]: () => {
      layer[Symbol.dispose]();
    },
  };
}
