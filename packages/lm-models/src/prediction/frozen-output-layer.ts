/**
 * An output layer after training, as far as prediction needs it: the vectors of its classes with a bias each, and an
 * index of them (@vastmax/top-k). Whatever the layer was, a score is v_c·h + b_c with v_c from `classVectors` and b_c the
 * score for activations of 0; how the layer stores its rows, and what a step needs, is left behind.
 */
import {
  binary,
  exponentiateRows,
  fill,
  gatherRows,
  multiplyRows,
  read,
  rowDot,
  scatterRows,
  Workspace,
  write,
  type Backend,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import {
  CallGuard,
  checkClassScores,
  checkClassVectors,
  checkHidden,
  checkScores,
  checkTargets,
  OutputLayerError,
  withFixedWeights,
  type OutputLayer,
  type StepResult,
  type TopK,
} from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import { indexTable, isTopKError, type TopKIndex } from '@vastmax/top-k';
import { ModelError } from '../model-error.ts';

/** Classes that are copied at a time. */
const classesPerBlock = 4096;
/** Scores in memory at a time. */
const scoresPerBlock = 1_048_576;

/**
 * A layer with the same scores, but for rounding, that only predicts: `topK` of up to four examples reads a quarter of
 * the class vectors at most, and more examples are multiplied with those whose length can matter. Building the index
 * takes O(D·d²) for the factored layer and O(D·d) for others, as long as 20 to 50 scans of all classes: for one question
 * ask the layer itself. Memory: 5 bytes a number, and 9 bytes a class.
 * @param layer is only read; the caller disposes it, or goes on training it, which does not change the result.
 * @throws ModelError `unsupported` for a layer whose scores are no inner products (`hasLinearScores`), `bad-option` where
 * a vector is not finite; OutputLayerError `busy`.
 */
export async function freezeOutputLayer(layer: OutputLayer): Promise<OutputLayer> {
  if (layer.hasLinearScores !== true) {
    throw new ModelError(
      'unsupported',
      `freeze: the scores of a ${layer.kind} layer are no inner products with vectors of its classes, so that there is nothing to make an index of; ask the layer itself`,
    );
  }
  return withFixedWeights(layer, 'freeze', async () => {
    const { backend, classes, features } = layer;
    const table = backend.createTable(classes, features);
    try {
      const biases = await copyClasses(layer, table);
      const index = await indexTable(table, biases === undefined ? {} : { biases });
      return new FrozenOutputLayer(layer, table, biases, index);
    } catch (error) {
      table[Symbol.dispose]();
      if (!isTopKError(error)) throw error;
      throw new ModelError('bad-option', `freeze: ${error.message}`, { cause: error });
    }
  });
}

/** @returns the biases; undefined where there are none. */
async function copyClasses(layer: OutputLayer, table: RowTable): Promise<Float32Array | Float64Array | undefined> {
  const { backend, classes, features } = layer;
  const biases = backend.precision === 'f32' ? new Float32Array(classes) : new Float64Array(classes);
  using workspace = new Workspace(backend);
  const zero = workspace.matrix('zero', 1, features);
  fill(0, zero);
  for (let first = 0; first < classes; first += classesPerBlock) {
    const count = Math.min(classesPerBlock, classes - first);
    const vectors = workspace.matrix('vectors', count, features);
    layer.classVectors(first, vectors);
    const places = Int32Array.from({ length: count }, (_, i) => first + i);
    scatterRows(vectors, workspace.indices('places', places), table);
    const scores = workspace.matrix('biases', 1, count);
    layer.scores(zero, first, scores);
    await read(scores, biases.subarray(first, first + count));
  }
  return biases.some((bias) => bias !== 0) ? biases : undefined;
}

class FrozenOutputLayer implements OutputLayer {
  readonly backend: Backend;
  readonly kind: string;
  readonly classes: number;
  readonly features: number;
  readonly isNormalized: boolean;
  readonly hasLinearScores = true;
  readonly #table: RowTable;
  readonly #biases: Float32Array | Float64Array | undefined;
  readonly #index: TopKIndex;
  readonly #workspace: Workspace;
  readonly #calls: CallGuard;

  constructor(
    { backend, kind, classes, features, isNormalized }: OutputLayer,
    table: RowTable,
    biases: Float32Array | Float64Array | undefined,
    index: TopKIndex,
  ) {
    this.backend = backend;
    this.kind = `frozen ${kind}`;
    this.classes = classes;
    this.features = features;
    this.isNormalized = isNormalized;
    this.#table = table;
    this.#biases = biases;
    this.#index = index;
    this.#workspace = new Workspace(backend);
    this.#calls = new CallGuard(this.kind);
  }

  bestClasses(hidden: Matrix, k: number, accept?: (classNumber: number, example: number) => boolean): Promise<TopK> {
    return this.#calls.read('bestClasses', async () => {
      checkHidden(this, 'bestClasses', hidden);
      const queries = await read(hidden);
      const options = accept === undefined ? {} : { accept };
      const { indices, scores } = await this.#index.search(queries, k, options);
      return { k, classes: indices, scores };
    });
  }

  withFixedWeights<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    return this.#calls.read(operation, action);
  }

  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.check('scores');
    checkScores(this, 'scores', hidden, firstClass, out);
    this.#scores(hidden, firstClass, out);
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.check('classScores');
    checkClassScores(this, 'classScores', hidden, classes, out);
    this.#classScores(hidden, classes, out);
  }

  classVectors(firstClass: number, out: Matrix): void {
    this.#calls.check('classVectors');
    checkClassVectors(this, 'classVectors', firstClass, out);
    const places = Int32Array.from({ length: out.rows }, (_, i) => firstClass + i);
    gatherRows(this.#table, this.#workspace.indices('classes', places), out);
  }

  /** −log p of the targets of a normalised layer, from the scores of all classes. O(m·D·d). */
  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    return this.#calls.run('evaluate', async () => {
      checkHidden(this, 'evaluate', hidden);
      checkTargets(this, 'evaluate', hidden, targets);
      if (!this.isNormalized)
        throw new OutputLayerError(
          'bad-option',
          `${this.kind} evaluate: the loss is no −log p, and is not kept; evaluate before freezing`,
        );
      const { rows, offsets, indices, values } = targets;
      const normalizers = await this.#logSums(hidden);
      const examples = new Int32Array(offsets[rows]!);
      for (let row = 0; row < rows; row++) examples.fill(row, offsets[row], offsets[row + 1]);
      const queries = this.#workspace.matrix('pair queries', examples.length, this.features);
      gatherRows(hidden, this.#workspace.indices('pair examples', examples), queries);
      const pairs = this.#workspace.matrix('pair scores', examples.length, 1);
      this.#classScores(queries, Int32Array.from(indices.subarray(0, examples.length)), pairs);
      const found = await read(pairs);
      const sums = new Float64Array(rows);
      for (const [pair, row] of examples.entries())
        sums[row]! += (values === undefined ? 1 : values[pair]!) * (normalizers[row]! - found[pair]!);
      const losses = this.#workspace.matrix('losses', rows, 1);
      write(sums, losses);
      return losses;
    });
  }

  step(): Promise<StepResult> {
    return Promise.reject(this.#frozen('step'));
  }

  state(): ModuleState {
    throw this.#frozen('state');
  }

  restore(): Promise<void> {
    return Promise.reject(this.#frozen('restore'));
  }

  [Symbol.dispose](): void {
    this.#calls.close(() => {
      this.#index[Symbol.dispose]();
      this.#table[Symbol.dispose]();
      this.#workspace[Symbol.dispose]();
    });
  }

  #scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    multiplyRows(hidden, this.#table, firstClass, out, this.#workspace);
    const biases = this.#biases?.subarray(firstClass, firstClass + out.columns);
    if (biases !== undefined) this.#add(biases, 1, out);
  }

  #classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    const vectors = this.#workspace.matrix('class vectors', classes.length, this.features);
    gatherRows(this.#table, this.#workspace.indices('classes', classes), vectors);
    rowDot(hidden, vectors, out);
    const biases = this.#biases;
    if (biases !== undefined)
      this.#add(
        Float64Array.from(classes, (each) => biases[each]!),
        classes.length,
        out,
      );
  }

  /** @param rows how many rows the biases are. */
  #add(biases: ArrayLike<number>, rows: number, out: Matrix): void {
    const own = this.#workspace.matrix('added biases', rows, biases.length / Math.max(1, rows));
    write(biases, own);
    binary('add', out, own, out);
  }

  /** log Σ_c exp(score_c) of each example. */
  async #logSums(hidden: Matrix): Promise<Float64Array> {
    const m = hidden.rows;
    const largest = new Float64Array(m).fill(-Infinity);
    const sums = new Float64Array(m);
    const width = Math.max(1, Math.min(this.classes, Math.floor(scoresPerBlock / Math.max(1, m))));
    const [maxima, parts] = ['maxima', 'parts'].map((name) => this.#workspace.matrix(name, m, 1)) as [Matrix, Matrix];
    for (let first = 0; first < this.classes; first += width) {
      const scores = this.#workspace.matrix('scores', m, Math.min(width, this.classes - first));
      this.#scores(hidden, first, scores);
      exponentiateRows(scores, maxima, parts);
      const [blockLargest, blockSums] = [await read(maxima), await read(parts)];
      for (let row = 0; row < m; row++) {
        const most = Math.max(largest[row]!, blockLargest[row]!);
        sums[row] = sums[row]! * Math.exp(largest[row]! - most) + blockSums[row]! * Math.exp(blockLargest[row]! - most);
        largest[row] = most;
      }
    }
    return sums.map((sum, row) => largest[row]! + Math.log(sum));
  }

  #frozen(operation: string): OutputLayerError {
    return new OutputLayerError(
      'bad-option',
      `${this.kind} ${operation}: the layer was frozen and only predicts; train, save and load the layer that it was made of`,
    );
  }
}
