/**
 * The smallest honest output layer: W on the host, squared error against the target weights, every output computed.
 * Judges the suite.
 */
import { read, write, type Backend, type Matrix } from '@vastmax/linalg-core';
import { StateError, type ModuleState } from '@vastmax/linalg-core/state';
import {
  CallGuard,
  checkClassRange,
  checkHidden,
  checkOut,
  checkStepOptions,
  checkTargets,
  OutputLayerError,
  type OutputLayer,
  type StepOptions,
  type StepResult,
} from '@vastmax/output-layer';
import type { LayerRequest } from '@vastmax/output-layer/suite';
import { RandomGenerator, type CsrRows } from '@vastmax/sparse-data';

interface Pass {
  readonly values: Float64Array;
  readonly losses: Float64Array;
  /** m×D. */
  readonly outputGradient: Float64Array;
}

export class NaiveLayer implements OutputLayer {
  readonly kind = 'naive';
  readonly isNormalized = false;
  readonly backend: Backend;
  readonly classes: number;
  readonly features: number;
  /** D×features. */
  weights: Float64Array;
  #owned: Matrix[] = [];
  readonly #calls = new CallGuard(this.kind);

  constructor(backend: Backend, { classes, features, seed }: LayerRequest) {
    this.backend = backend;
    this.classes = classes;
    this.features = features;
    const random = new RandomGenerator(seed);
    this.weights = Float64Array.from({ length: classes * features }, () => 0.3 * random.normal());
    this.#owned = [backend.createMatrix(1, 4096), backend.createMatrix(1, 4096)];
  }

  step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    return this.#calls.run('step', async () => {
      checkHidden(this, 'step', hidden);
      checkTargets(this, 'step', hidden, targets);
      checkStepOptions(this, hidden.rows, options);
      this.#calls.willChange();
      const { values, losses, outputGradient } = await this.#pass(hidden, targets);
      const { classes, features, weights } = this;
      const gradient = new Float64Array(values.length);
      const next = weights.slice();
      for (let j = 0; j < hidden.rows; j++) {
        const factor = (options.exampleWeights?.[j] ?? 1) / hidden.rows;
        for (let k = 0; k < classes; k++) {
          for (let i = 0; i < features; i++) {
            const change = factor * outputGradient[j * classes + k]!;
            gradient[j * features + i]! += change * weights[k * features + i]!;
            next[k * features + i]! -= options.learningRate * change * values[j * features + i]!;
          }
        }
      }
      this.weights = next;
      return { losses: this.#result(0, losses, 1), hiddenGradient: this.#result(1, gradient, features) };
    });
  }

  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    return this.#calls.run('evaluate', async () => {
      checkHidden(this, 'evaluate', hidden);
      checkTargets(this, 'evaluate', hidden, targets);
      return this.#result(0, (await this.#pass(hidden, targets)).losses, 1);
    });
  }

  withFixedWeights<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    return this.#calls.read(operation, action);
  }

  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#check('scores', hidden);
    checkOut(this, 'scores', out, hidden.rows, out.columns);
    checkClassRange(this, 'scores', firstClass, out.columns);
    write(
      outputsOf(
        hidden.storage as Float64Array,
        this.weights.subarray(firstClass * this.features),
        hidden.rows,
        out.columns,
        this.features,
      ),
      out,
    );
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#check('classScores', hidden);
    checkOut(this, 'classScores', out, hidden.rows, 1);
    if (classes.length !== hidden.rows)
      throw new OutputLayerError('shape', `naive classScores: ${classes.length} classes for ${hidden.rows} examples`);
    for (const target of classes) checkClassRange(this, 'classScores', target, 1);
    const outputs = outputsOf(hidden.storage as Float64Array, this.weights, hidden.rows, this.classes, this.features);
    write(
      Float64Array.from(classes, (target, j) => outputs[j * this.classes + target]!),
      out,
    );
  }

  classVectors(firstClass: number, out: Matrix): void {
    this.#check('classVectors');
    checkOut(this, 'classVectors', out, out.rows, this.features);
    checkClassRange(this, 'classVectors', firstClass, out.rows);
    write(this.weights.subarray(firstClass * this.features, (firstClass + out.rows) * this.features), out);
  }

  state(): ModuleState {
    this.#check('state');
    const { kind, classes, features } = this;
    const read = (first: number, count: number): Promise<Float64Array> =>
      Promise.resolve(this.weights.slice(first * features, (first + count) * features));
    return this.#calls.stateAsOfNow({
      configuration: { kind, classes, features },
      tensors: [{ name: 'weights', precision: 'f64', rows: classes, columns: features, read }],
    });
  }

  restore(state: ModuleState): Promise<void> {
    return this.#calls.run('restore', async () => {
      const { configuration, tensors } = state;
      for (const key of ['kind', 'classes', 'features'] as const) {
        if (configuration[key] !== this[key]) {
          throw new StateError(
            'state-mismatch',
            `naive layer: '${key}' is ${String(configuration[key])} in the state, ${this[key]} in the layer`,
          );
        }
      }
      const weights = tensors.find(({ name, rows }) => name === 'weights' && rows === this.classes);
      if (weights === undefined)
        throw new StateError('state-mismatch', `naive layer: the state has no ${this.classes} rows of weights`);
      this.#calls.willRestore(state);
      this.weights = Float64Array.from(await weights.read(0, this.classes));
    });
  }

  [Symbol.dispose](): void {
    this.#calls.close(() => {
      for (const matrix of this.#owned) matrix[Symbol.dispose]();
    });
  }

  #check(operation: string, hidden?: Matrix): void {
    this.#calls.check(operation);
    if (hidden !== undefined) checkHidden(this, operation, hidden);
  }

  async #pass(hidden: Matrix, targets: CsrRows): Promise<Pass> {
    const { classes, features } = this;
    const values = Float64Array.from(await read(hidden));
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new OutputLayerError(
        'non-finite',
        `naive step: hidden is ${values[bad]} at example ${Math.floor(bad / features)}, feature ${bad % features}`,
      );
    }
    const outputGradient = outputsOf(values, this.weights, hidden.rows, classes, features);
    for (let j = 0; j < hidden.rows; j++) {
      for (let entry = targets.offsets[j]!; entry < targets.offsets[j + 1]!; entry++) {
        outputGradient[j * classes + targets.indices[entry]!]! -= targets.values?.[entry] ?? 1;
      }
    }
    const losses = Float64Array.from({ length: hidden.rows }, (_, j) =>
      outputGradient.subarray(j * classes, (j + 1) * classes).reduce((sum, difference) => sum + difference ** 2, 0),
    );
    return { values, losses, outputGradient: outputGradient.map((difference) => 2 * difference) };
  }

  #result(which: 0 | 1, values: Float64Array, columns: number): Matrix {
    const matrix = this.#owned[which]!.resize(values.length / columns, columns);
    write(values, matrix);
    return matrix;
  }
}

/** m×count outputs of the first classes of `weights`. */
function outputsOf(
  hidden: ArrayLike<number>,
  weights: Float64Array,
  m: number,
  count: number,
  features: number,
): Float64Array {
  const outputs = new Float64Array(m * count);
  for (let j = 0; j < m; j++) {
    for (let k = 0; k < count; k++) {
      for (let i = 0; i < features; i++)
        outputs[j * count + k]! += hidden[j * features + i]! * weights[k * features + i]!;
    }
  }
  return outputs;
}
