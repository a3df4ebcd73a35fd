/**
 * Hierarchical softmax over a Huffman tree: −log p(c | h) = −Σ log σ(±θ_n·h) over the nodes n on c's code (F. Morin and
 * Y. Bengio, AISTATS 2005; the Huffman code is that of T. Mikolov et al., arXiv:1301.3781 §3). The cost of a target is
 * O(depth·d), and frequent classes have short codes.
 */
import {
  axpy,
  binary,
  copyColumns,
  fill,
  gatheredRowDot,
  scaleRows,
  scatterAddRows,
  sparseTimesRows,
  unary,
  Workspace,
  write,
  type Backend,
  type Indices,
  type Matrix,
} from '@vastmax/linalg-core';
import { withBiasFeature, withoutBiasFeature } from '@vastmax/output-layer';
import { ClassTable } from '../class-table/class-table.ts';
import { ScaledRowGradient } from '../class-table/scaled-row-gradient.ts';
import { checkSameIntegers, integerTensor } from '../layer/integer-tensor.ts';
import {
  checkLayerOptions,
  checkPerClass,
  checkWhole,
  weightOptions,
  type SoftmaxLayerOptions,
} from '../layer/layer-options.ts';
import { SoftmaxLayer } from '../layer/softmax-layer.ts';
import type { ForwardResult, SoftmaxMethod, TrainingBatch } from '../layer/softmax-method.ts';
import { TargetList } from '../layer/target-list.ts';
import { HuffmanPairs, HuffmanTree } from './huffman-tree.ts';
import { HuffmanScores } from './huffman-scores.ts';
import type { JsonObject, ModuleState, TensorSource } from '@vastmax/linalg-core/state';

const kind = 'huffman-softmax';
/**
 * Number of classes scored at once. It limits the size of the nodes×m matrices if the codes of a range share few nodes.
 */
const classesPerRange = 2048;

/** Options of the Huffman tree; frequent classes are near its root. */
export interface HuffmanSoftmaxOptions extends SoftmaxLayerOptions {
  /** How often each class occurs, at least 0; the Huffman code is built from these numbers. */
  readonly frequencies: ArrayLike<number>;
}

/**
 * Creates the layer. Cost of a step: O(code length·d) per target. Memory: 4(D − 1)(d + 1) bytes of weights, 10 bytes
 * per class on the host. `bias` gives each inner node a bias.
 * @throws OutputLayerError `bad-option` (also for fewer than two classes), `non-finite`; LinalgError `out-of-memory`.
 */
export async function createHuffmanSoftmaxLayer(
  backend: Backend,
  options: HuffmanSoftmaxOptions,
): Promise<SoftmaxLayer> {
  checkLayerOptions(kind, options);
  checkWhole(kind, 'classes', options.classes, 2, 2 ** 30);
  checkPerClass(kind, 'frequencies', options.frequencies, options.classes, 0);
  const layer = new SoftmaxLayer(new HuffmanSoftmax(backend, options), weightOptions(options).rule, options.reduction);
  await backend.synchronize();
  return layer;
}

class HuffmanSoftmax implements SoftmaxMethod {
  readonly kind = kind;
  readonly isNormalized = true;
  readonly classes: number;
  readonly features: number;
  readonly workspace: Workspace;
  readonly #tree: HuffmanTree;
  readonly #table: ClassTable;
  readonly #scores: HuffmanScores;
  readonly #pairs = new HuffmanPairs();
  readonly #targets = new TargetList();
  #numbers: Float64Array = new Float64Array(0);

  constructor(backend: Backend, options: HuffmanSoftmaxOptions) {
    const { classes, features, frequencies } = options;
    this.classes = classes;
    this.features = features;
    this.workspace = new Workspace(backend);
    this.#tree = new HuffmanTree(frequencies);
    this.#table = new ClassTable(
      backend,
      { name: 'nodes', rows: classes - 1, features, ...weightOptions(options) },
      this.workspace,
    );
    this.#scores = new HuffmanScores(this.workspace, this.#table, this.#tree);
  }

  forward({ hidden, targets, factors }: TrainingBatch): ForwardResult {
    const losses = this.computeLosses(hidden, targets);
    const { count, examples, nodes, signs, weights } = this.#pairs;
    // ∂(−log σ(z))/∂x = −sign·σ(−z) for z = sign·x.
    const slopes = this.#matrix('slopes', count, 1);
    const numbers = this.#numbersOf(count);
    for (let i = 0; i < count; i++) numbers[i] = -signs[i]! * weights[i]! * factors[examples[i]!]!;
    unary('sigmoid', this.#matrix('negated outputs', count, 1), slopes);
    binary('multiply', slopes, this.#column('slope factors', count), slopes);
    const hiddenGradient = this.workspace.matrix('hidden gradient', hidden.rows, this.#table.width);
    fill(0, hiddenGradient);
    const entries = {
      rowIndices: this.#examplesOf(),
      columnIndices: this.workspace.indices('pair nodes', nodes, count),
      values: slopes,
    };
    sparseTimesRows(entries, this.#table.table, hiddenGradient, this.#allocate);
    return { losses, watched: [hiddenGradient] };
  }

  update({ hidden }: TrainingBatch, learningRate: number, step: number): Matrix {
    const { count, nodes } = this.#pairs;
    const gradient = new ScaledRowGradient(
      this.workspace.indices('pair nodes', nodes, count),
      withBiasFeature(this.workspace, hidden, this.#table.bias),
      this.#examplesOf(),
      this.#matrix('slopes', count, 1),
      { workspace: this.workspace, name: 'pair rows a' },
    );
    this.#table.update([gradient], learningRate, step);
    return withoutBiasFeature(
      this.workspace,
      this.workspace.matrix('hidden gradient', hidden.rows, this.#table.width),
      this.features,
    );
  }

  computeLosses(hidden: Matrix, targets: TargetList, name = 'losses'): Matrix {
    const pairs = this.#pairs;
    pairs.build(targets, this.#tree);
    const { count, nodes, signs, weights } = pairs;
    const examples = this.#examplesOf();
    const negated = this.#matrix('negated outputs', count, 1);
    gatheredRowDot(
      this.#table.table,
      this.workspace.indices('pair nodes', nodes, count),
      withBiasFeature(this.workspace, hidden, this.#table.bias),
      examples,
      negated,
      this.#allocate,
    );
    const numbers = this.#numbersOf(count);
    for (let i = 0; i < count; i++) numbers[i] = -signs[i]!;
    binary('multiply', negated, this.#column('negated signs', count), negated);
    const surprisals = this.#matrix('surprisals', count, 1);
    unary('softplus', negated, surprisals);
    for (let i = 0; i < count; i++) numbers[i] = weights[i]!;
    binary('multiply', surprisals, this.#column('pair weights', count), surprisals);
    const losses = this.workspace.matrix(name, hidden.rows, 1);
    fill(0, losses);
    scatterAddRows(surprisals, examples, losses);
    return losses;
  }

  /** log p. O(m·nodes·d) for the nodes above the classes; see huffman-scores.ts. */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    const extended = withBiasFeature(this.workspace, hidden, this.#table.bias);
    for (let first = 0; first < out.columns; first += classesPerRange) {
      const part = this.#matrix('score part', hidden.rows, Math.min(classesPerRange, out.columns - first));
      this.#scores.range(extended, firstClass + first, part);
      copyColumns(part, 0, out, first, part.columns);
    }
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#targets.buildSingle(classes);
    fill(0, out);
    axpy(-1, this.computeLosses(hidden, this.#targets, 'losses of classScores'), out);
  }

  /** The sum of the rows on a class's code, each with its sign. O(code length·d) per class. */
  classVectors(firstClass: number, out: Matrix): void {
    this.#targets.buildSingle(Int32Array.from({ length: out.rows }, (_, i) => firstClass + i));
    this.#pairs.build(this.#targets, this.#tree);
    const { count, examples, nodes, signs } = this.#pairs;
    const rows = this.#matrix('rows', count, this.#table.width);
    this.#table.gather(this.workspace.indices('pair nodes', nodes, count), rows);
    const numbers = this.#numbersOf(count);
    for (let i = 0; i < count; i++) numbers[i] = signs[i]!;
    scaleRows(rows, this.#column('slope factors', count), rows);
    const sums = this.#matrix('vectors', out.rows, this.#table.width);
    fill(0, sums);
    scatterAddRows(rows, this.workspace.indices('pair examples', examples, count), sums);
    copyColumns(sums, 0, out, 0, this.features);
  }

  configuration(): JsonObject {
    return { bias: this.#table.bias };
  }

  tensors(): TensorSource[] {
    return [...this.#table.tensors(), integerTensor('tree_parents', this.#tree.parents)];
  }

  async checkState(state: ModuleState): Promise<void> {
    this.#table.checkState(state);
    await checkSameIntegers(state, 'tree_parents', this.#tree.parents, kind);
  }

  async restore(state: ModuleState): Promise<void> {
    await this.#table.restore(state);
  }

  [Symbol.dispose](): void {
    this.#table[Symbol.dispose]();
  }

  #examplesOf(): Indices {
    return this.workspace.indices('pair examples', this.#pairs.examples, this.#pairs.count);
  }

  /** A buffer for `#column`. */
  #numbersOf(count: number): Float64Array {
    if (this.#numbers.length < count) this.#numbers = new Float64Array(Math.ceil(count * 1.5));
    return this.#numbers;
  }

  /** The first `count` of the numbers. */
  #column(name: string, count: number): Matrix {
    const column = this.#matrix(name, count, 1);
    write(this.#numbers.subarray(0, count), column);
    return column;
  }

  /** Scratch where the backend has no kernels for pairs. */
  readonly #allocate = (rows: number, columns: number, which: 'a' | 'b' = 'a'): Matrix =>
    this.#matrix(`rows ${which}`, rows, columns);

  #matrix(name: string, rows: number, columns: number): Matrix {
    return this.workspace.matrix(`pair ${name}`, rows, columns);
  }
}
