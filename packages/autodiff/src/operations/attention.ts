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
  type Matrix,
} from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import { commonTape, type Recorder, type Variable } from '../variable.ts';
import { copyRows } from './blocks.ts';
import { blockRows, type PackedSequences, type QueryBlock, type Sequence } from './packed-sequences.ts';

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
