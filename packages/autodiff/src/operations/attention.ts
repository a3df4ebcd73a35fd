/**
 * Causal multi-head attention (arXiv:1706.03762 §3.2) over sequences that lie one below the other. Each head of each
 * sequence is a few products of small matrices, so no matrix has positions×positions×heads numbers: the queries of a
 * long sequence are taken in blocks, each with the keys up to its last query. The probabilities are computed again in
 * `backward` rather than kept.
 *
 * A head's columns of all positions are brought together first: a matrix of n×(heads·w) is the same numbers as one of
 * (n·heads)×w, whose rows are then put in the order of the heads.
 */
import {
  binary,
  describeShape,
  exponentiateRows,
  fill,
  gatherRows,
  gemm,
  rowDot,
  scaleRows,
  unary,
  Workspace,
  write,
  type Backend,
  type Indices,
  type Matrix,
} from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import { commonTape, type Recorder, type Variable } from '../variable.ts';
import { copyRows } from './blocks.ts';

/** Queries of a block: enough for products at full speed, few enough for a block of scores to stay in the cache. */
const blockRows = 256;

/** A block of the queries of a sequence: rows `first` … of it, with all keys before them and their own. */
interface QueryBlock {
  readonly first: number;
  readonly rows: number;
  /** rows×(first + rows): 0 where the query may see the key, −∞ where the key comes after it. */
  readonly mask: Matrix;
}

interface Sequence {
  readonly start: number;
  readonly length: number;
  readonly blocks: readonly QueryBlock[];
}

/**
 * Which rows of a minibatch are one sequence, for {@link attention}: row after row, sequence after sequence. One for
 * all layers of a network; {@link PackedSequences.arrange} tells it of each minibatch, and must not be called again
 * before the step's last backward call.
 */
export class PackedSequences implements Disposable {
  readonly backend: Backend;
  readonly heads: number;
  readonly #workspace: Workspace;
  /** Which block each mask was written for. */
  readonly #masks: { first: number; rows: number }[] = [];
  #rows = 0;
  #sequences: readonly Sequence[] = [];
  #list = new Int32Array(0);
  #positions: Indices;
  #byHead: Indices;
  #byRow: Indices;

  /** @param heads of every attention that uses it. */
  constructor(backend: Backend, heads: number) {
    if (!Number.isSafeInteger(heads) || heads < 1)
      throw new AutodiffError(
        'bad-option',
        `PackedSequences: heads must be a whole number of at least 1, got ${heads}`,
      );
    this.backend = backend;
    this.heads = heads;
    this.#workspace = new Workspace(backend);
    this.#positions = this.#workspace.indices('positions', this.#list);
    this.#byHead = this.#workspace.indices('by head', this.#list);
    this.#byRow = this.#workspace.indices('by row', this.#list);
  }

  /** Rows of the minibatch. */
  get rows(): number {
    return this.#rows;
  }

  /** Of each row in its sequence, from 0 on. */
  get positions(): Indices {
    return this.#positions;
  }

  /** For operations of this package. */
  get sequences(): readonly Sequence[] {
    return this.#sequences;
  }

  /** Rows of (n·heads)×w, in the order of the heads; and back. For operations of this package. */
  get byHead(): Indices {
    return this.#byHead;
  }

  get byRow(): Indices {
    return this.#byRow;
  }

  /**
   * Sequences of these lengths, one after the other. O(rows·heads) on the host, and for each different length its
   * square once, unless the last minibatch had it too.
   * @param lengths whole numbers of at least 1.
   * @throws AutodiffError `bad-option`.
   */
  arrange(lengths: ArrayLike<number>): void {
    const before = this.#sequences;
    if (lengths.length === before.length && before.every(({ length }, i) => length === lengths[i])) return;
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      if (Number.isSafeInteger(length) && length >= 1) continue;
      throw new AutodiffError(
        'bad-option',
        `PackedSequences.arrange: length ${i} is ${length}; it must be a whole number of at least 1`,
      );
    }
    const blocksByLength = new Map<number, readonly QueryBlock[]>();
    const sequences: Sequence[] = [];
    let start = 0;
    let slot = 0;
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      let blocks = blocksByLength.get(length);
      if (blocks === undefined) {
        blocks = Array.from({ length: Math.ceil(length / blockRows) }, (_, block) => {
          const first = block * blockRows;
          return this.#block(slot++, first, Math.min(blockRows, length - first));
        });
        blocksByLength.set(length, blocks);
      }
      sequences.push({ start, length, blocks });
      start += length;
    }
    this.#sequences = sequences;
    this.#rows = start;
    const { heads } = this;
    this.#positions = this.#indices('positions', start, (list) => {
      for (const { start: first, length } of sequences) for (let i = 0; i < length; i++) list[first + i] = i;
    });
    this.#byHead = this.#indices('by head', start * heads, (list) => {
      for (let head = 0, i = 0; head < heads; head++)
        for (let row = 0; row < start; row++) list[i++] = row * heads + head;
    });
    this.#byRow = this.#indices('by row', start * heads, (list) => {
      for (let row = 0, i = 0; row < start; row++)
        for (let head = 0; head < heads; head++) list[i++] = head * start + row;
    });
  }

  [Symbol.dispose](): void {
    this.#workspace[Symbol.dispose]();
  }

  #indices(name: string, count: number, fillList: (list: Int32Array) => void): Indices {
    if (this.#list.length < count) this.#list = new Int32Array(Math.ceil(count * 1.5));
    fillList(this.#list);
    return this.#workspace.indices(name, this.#list, count);
  }

  #block(slot: number, first: number, rows: number): QueryBlock {
    const columns = first + rows;
    const mask = this.#workspace.matrix(`mask ${slot}`, rows, columns);
    const held = (this.#masks[slot] ??= { first: -1, rows: -1 });
    if (held.first !== first || held.rows !== rows) {
      const values = new Float32Array(rows * columns);
      for (let row = 0; row < rows; row++) values.fill(-Infinity, row * columns + first + row + 1, (row + 1) * columns);
      write(values, mask);
      held.first = first;
      held.rows = rows;
    }
    return { first, rows, mask };
  }
}

/**
 * For each head softmax(q·kᵀ/√w)·v, where a position sees itself and those before it in its sequence, n×(heads·w). For
 * a sequence of T positions 2T²·(heads·w) operations forward and 5T²·(heads·w) backward, and min(T, 256)·T numbers of
 * memory for the scores.
 * @param query n×(heads·w), the heads side by side; `key` and `value` likewise.
 * @param sequences arranged for these n rows.
 * @throws AutodiffError `shape` when the shapes differ or are not those of `sequences`.
 */
export function attention(query: Variable, key: Variable, value: Variable, sequences: PackedSequences): Variable {
  const tape = commonTape('attention', query, key, value);
  const { heads } = sequences;
  const { rows, columns } = query;
  for (const [role, operand] of [
    ['query', query],
    ['key', key],
    ['value', value],
  ] as const) {
    if (operand.rows === sequences.rows && operand.columns === columns && columns % heads === 0) continue;
    throw new AutodiffError(
      'shape',
      `attention: ${role} is ${describeShape(operand)}, query is ${describeShape(query)}, the sequences have ${sequences.rows} rows and ${heads} heads; all three must have as many rows, and the same columns, a multiple of the heads`,
    );
  }
  const width = columns / heads;
  const toHeads = (matrix: Matrix): Matrix => {
    const out = tape.allocate(rows * heads, width);
    gatherRows(matrix.resize(rows * heads, width), sequences.byHead, out);
    matrix.resize(rows, columns);
    return out;
  };
  const fromHeads = (matrix: Matrix): Matrix => {
    const out = tape.allocate(rows, columns);
    gatherRows(matrix, sequences.byRow, out.resize(rows * heads, width));
    return out.resize(rows, columns);
  };
  const heldQuery = toHeads(query.value);
  const heldKey = toHeads(key.value);
  const heldValue = toHeads(value.value);
  const output = tape.allocate(rows * heads, width);
  const scores = new Scores(tape, sequences, width);
  scores.forEachSequence((sequence, head) => {
    const base = head * rows + sequence.start;
    copyRows(heldKey, base, scores.keys(sequence.length), 0, sequence.length);
    copyRows(heldValue, base, scores.values(sequence.length), 0, sequence.length);
    for (const block of sequence.blocks) {
      copyRows(heldQuery, base + block.first, scores.queries(block.rows), 0, block.rows);
      const numerators = scores.compute(block);
      const out = scores.outputs(block.rows);
      gemm(numerators, scores.values(block.first + block.rows), out);
      scaleRows(out, scores.inverseSums, out);
      copyRows(out, 0, output, base + block.first, block.rows);
    }
  });
  return tape.record(fromHeads(output), [query, key, value], (gradient, sink) => {
    const outputGradient = toHeads(gradient);
    const queryGradient = tape.allocate(rows * heads, width);
    const keyGradient = tape.allocate(rows * heads, width);
    const valueGradient = tape.allocate(rows * heads, width);
    const own = new Scores(tape, sequences, width);
    const most = own.mostRows;
    const ofKeys = tape.allocate(own.longest, width);
    const ofValues = tape.allocate(own.longest, width);
    const ofScores = tape.allocate(most, own.longest);
    const along = tape.allocate(most, 1);
    own.forEachSequence((sequence, head) => {
      const base = head * rows + sequence.start;
      const { length } = sequence;
      copyRows(heldKey, base, own.keys(length), 0, length);
      copyRows(heldValue, base, own.values(length), 0, length);
      fill(0, ofKeys.resize(length, width));
      fill(0, ofValues.resize(length, width));
      for (const block of sequence.blocks) {
        const seen = block.first + block.rows;
        copyRows(heldQuery, base + block.first, own.queries(block.rows), 0, block.rows);
        const out = own.outputs(block.rows);
        copyRows(outputGradient, base + block.first, out, 0, block.rows);
        const probabilities = own.compute(block);
        scaleRows(probabilities, own.inverseSums, probabilities);
        gemm(probabilities, out, ofValues.resize(seen, width), { transposeA: true, beta: 1 });
        // ∂scores = p ∘ (g − g·p), the gradient of a softmax, for g = ∂out·vᵀ.
        gemm(out, own.values(seen), ofScores.resize(block.rows, seen), { transposeB: true });
        rowDot(ofScores, probabilities, along.resize(block.rows, 1));
        binary('subtract', ofScores, along, ofScores);
        binary('multiply', ofScores, probabilities, ofScores);
        gemm(ofScores, own.queries(block.rows), ofKeys.resize(seen, width), {
          transposeA: true,
          alpha: own.scale,
          beta: 1,
        });
        gemm(ofScores, own.keys(seen), out, { alpha: own.scale });
        copyRows(out, 0, queryGradient, base + block.first, block.rows);
      }
      copyRows(ofKeys.resize(length, width), 0, keyGradient, base, length);
      copyRows(ofValues.resize(length, width), 0, valueGradient, base, length);
    });
    sink.add(query, fromHeads(queryGradient));
    sink.add(key, fromHeads(keyGradient));
    sink.add(value, fromHeads(valueGradient));
  });
}

/** The matrices of one head of one sequence, and the numerators of its softmax. */
class Scores {
  readonly longest: number;
  /** Of a block. */
  readonly mostRows: number;
  readonly scale: number;
  readonly #packed: PackedSequences;
  readonly #width: number;
  readonly #queries: Matrix;
  readonly #keys: Matrix;
  readonly #values: Matrix;
  readonly #outputs: Matrix;
  readonly #scores: Matrix;
  readonly #maxima: Matrix;
  readonly #sums: Matrix;

  constructor(tape: Recorder, packed: PackedSequences, width: number) {
    this.#packed = packed;
    this.#width = width;
    this.longest = packed.sequences.reduce((longest, { length }) => Math.max(longest, length), 0);
    this.mostRows = Math.min(this.longest, blockRows);
    this.scale = 1 / Math.sqrt(width);
    this.#queries = tape.allocate(this.mostRows, width);
    this.#keys = tape.allocate(this.longest, width);
    this.#values = tape.allocate(this.longest, width);
    this.#outputs = tape.allocate(this.mostRows, width);
    this.#scores = tape.allocate(this.mostRows, this.longest);
    this.#maxima = tape.allocate(this.mostRows, 1);
    this.#sums = tape.allocate(this.mostRows, 1);
  }

  /** The first rows of the matrix of the current head and sequence. */
  queries(rows: number): Matrix {
    return this.#queries.resize(rows, this.#width);
  }

  keys(rows: number): Matrix {
    return this.#keys.resize(rows, this.#width);
  }

  values(rows: number): Matrix {
    return this.#values.resize(rows, this.#width);
  }

  outputs(rows: number): Matrix {
    return this.#outputs.resize(rows, this.#width);
  }

  /** 1/Σ of each row of the last numerators. */
  get inverseSums(): Matrix {
    return this.#sums;
  }

  /** exp(q·kᵀ/√w − maximum of the row), 0 for keys that come later. */
  compute({ first, rows, mask }: QueryBlock): Matrix {
    const scores = this.#scores.resize(rows, first + rows);
    gemm(this.queries(rows), this.keys(first + rows), scores, { transposeB: true, alpha: this.scale });
    binary('add', scores, mask, scores);
    exponentiateRows(scores, this.#maxima.resize(rows, 1), this.#sums.resize(rows, 1));
    unary('reciprocal', this.#sums, this.#sums);
    return scores;
  }

  forEachSequence(visit: (sequence: Sequence, head: number) => void): void {
    for (let head = 0; head < this.#packed.heads; head++)
      for (const sequence of this.#packed.sequences) visit(sequence, head);
  }
}
