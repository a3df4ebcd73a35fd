/**
 * Rankings over all D classes: the activations of all ranks go to every rank (Σm·d numbers), each scores its own
 * classes for them, and what comes back is k candidates, or one count, for each example and rank. The other way, the
 * rows to the examples, would move D·d numbers.
 */
import {
  createHostArray,
  read,
  write,
  type Backend,
  type FloatArray,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import { OutputLayerError, type TopK } from '@vastmax/output-layer';
import { ClassScores, type ClassConstants, type FactoredWeights } from '@vastmax/spherical-losses/factored-parts';
import type { SphericalLoss } from '@vastmax/spherical-losses';
import type { Communicator } from '@vastmax/collectives';
import { localRowOf, ownerOf, rowOf, type RowPartition } from '../rows/row-partition.ts';
import type { Agreed, Agreement } from './agreement.ts';

/** Scores held at once for one block. */
const scoresPerBlock = 1_048_576;
type Score = SphericalLoss['score'];

export class UnionRanking implements Disposable {
  readonly #communicator: Communicator;
  readonly #agreement: Agreement;
  readonly #backend: Backend;
  readonly #workspace: Workspace;
  readonly #weights: FactoredWeights;
  readonly #partition: RowPartition;
  readonly #scores: ClassScores;

  constructor(
    communicator: Communicator,
    agreement: Agreement,
    backend: Backend,
    workspace: Workspace,
    weights: FactoredWeights,
    partition: RowPartition,
  ) {
    this.#communicator = communicator;
    this.#agreement = agreement;
    this.#backend = backend;
    this.#workspace = workspace;
    this.#weights = weights;
    this.#partition = partition;
    this.#scores = new ClassScores(backend, workspace, weights);
  }

  /** @param hidden this rank's own, with the bias feature. */
  async topK(
    hidden: Matrix,
    k: number,
    constants: ClassConstants | undefined,
    score: Score,
    refusal: unknown,
  ): Promise<TopK> {
    const agreed = this.#agreement.begin('topK', { refusal, same: { k }, examples: hidden.rows });
    const { rank, size } = this.#communicator;
    const examples = agreed.totalExamples;
    const best = new BestList(examples, k);
    await this.#eachBlock(await this.#gatherHidden(hidden, agreed), constants, score, (block, firstLocal, columns) => {
      for (let example = 0; example < examples; example++) {
        for (let column = 0; column < columns; column++)
          best.offer(example, block[example * columns + column]!, rowOf(this.#partition, rank, firstLocal + column));
      }
    });
    // Each rank's candidates to the ranks of their examples.
    const counts = agreed.examples.map((count) => count * k);
    const received = hidden.rows * k;
    const scores = new Float64Array(received * size);
    const classes = new Int32Array(received * size);
    const incoming = new Int32Array(size).fill(received);
    this.#communicator.allToAll(best.scores, counts, scores, incoming);
    this.#communicator.allToAll(best.classes, counts, classes, incoming);
    const merged = new BestList(hidden.rows, k);
    for (let i = 0; i < scores.length; i++)
      if (classes[i]! >= 0) merged.offer(Math.floor((i % received) / k), scores[i]!, classes[i]!);
    return { k, classes: merged.classes, scores: merged.scores };
  }

  async ranksOf(
    hidden: Matrix,
    targets: Int32Array,
    constants: ClassConstants | undefined,
    score: Score,
    refusal: unknown,
  ): Promise<Float64Array> {
    const agreed = this.#agreement.begin('ranksOf', { refusal, same: {}, examples: hidden.rows });
    const { rank } = this.#communicator;
    const examples = agreed.totalExamples;
    const all = await this.#gatherHidden(hidden, agreed);
    const allTargets = new Int32Array(examples);
    this.#communicator.allGather(targets, agreed.examples, allTargets);
    const own = await this.#targetScores(all, allTargets, constants, score);
    const above = new Float64Array(examples);
    await this.#eachBlock(all, constants, score, (block, firstLocal, columns) => {
      for (let example = 0; example < examples; example++) {
        const mine = own[example]!;
        const isOwner = ownerOf(this.#partition, allTargets[example]!) === rank;
        const target = isOwner ? localRowOf(this.#partition, allTargets[example]!) - firstLocal : -1;
        for (let other = 0, i = example * columns; other < columns; other++, i++) {
          if (other === target) continue;
          if (block[i]! > mine) above[example]! += 1;
          else if (block[i] === mine) above[example]! += 0.5;
        }
      }
    });
    this.#communicator.allReduce(above);
    const first = agreed.examples.slice(0, rank).reduce((sum, count) => sum + count, 0);
    return above.subarray(first, first + hidden.rows).map((better) => better + 1);
  }

  /** The score of each example's own target, which its owner knows. */
  async #targetScores(
    hidden: Matrix,
    targets: Int32Array,
    constants: ClassConstants | undefined,
    score: Score,
  ): Promise<Float64Array> {
    const { rank } = this.#communicator;
    const locals = targets.map((target) =>
      ownerOf(this.#partition, target) === rank ? localRowOf(this.#partition, target) : 0,
    );
    const known = new Float64Array(targets.length);
    if (this.#weights.classes > 0) {
      const column = this.#workspace.matrix('union target scores', targets.length, 1);
      this.#scores.each(hidden, locals, constants, score, column);
      const values = await read(column);
      for (let i = 0; i < targets.length; i++)
        if (ownerOf(this.#partition, targets[i]!) === rank) known[i] = values[i]!;
    }
    this.#communicator.allReduce(known);
    const bad = known.findIndex((value) => Number.isNaN(value));
    if (bad >= 0) throw new OutputLayerError('diverged', `ranksOf: the score of class ${targets[bad]!} is NaN`);
    return known;
  }

  async #gatherHidden(hidden: Matrix, agreed: Agreed): Promise<Matrix> {
    const { columns } = hidden;
    const all = createHostArray(this.#backend, agreed.totalExamples * columns);
    this.#communicator.allGather(
      await read(hidden),
      agreed.examples.map((count) => count * columns),
      all,
    );
    const matrix = this.#workspace.matrix('union hidden', agreed.totalExamples, columns);
    write(all, matrix);
    return matrix;
  }

  async #eachBlock(
    hidden: Matrix,
    constants: ClassConstants | undefined,
    score: Score,
    visit: (block: FloatArray, firstLocal: number, columns: number) => void,
  ): Promise<void> {
    const own = this.#weights.classes;
    const widest = Math.max(1, Math.min(own, Math.floor(scoresPerBlock / Math.max(1, hidden.rows))));
    const host = createHostArray(this.#backend, hidden.rows * widest);
    for (let first = 0; first < own; first += widest) {
      const columns = Math.min(widest, own - first);
      const out = this.#workspace.matrix('union scores', hidden.rows, columns);
      this.#scores.range(hidden, first, constants, score, out);
      visit(await read(out, host), first, columns);
    }
  }

  [Symbol.dispose](): void {
    this.#scores[Symbol.dispose]();
  }
}

/** For each example the k best so far, best first; of equal scores the smaller class number. */
class BestList {
  readonly classes: Int32Array;
  readonly scores: Float64Array;
  readonly #k: number;

  constructor(examples: number, k: number) {
    this.#k = k;
    this.classes = new Int32Array(examples * k).fill(-1);
    this.scores = new Float64Array(examples * k).fill(-Infinity);
  }

  offer(example: number, score: number, candidate: number): void {
    const { classes, scores } = this;
    const base = example * this.#k;
    let position = base + this.#k - 1;
    if (!this.#isBefore(score, candidate, position)) return;
    while (position > base && this.#isBefore(score, candidate, position - 1)) {
      scores[position] = scores[position - 1]!;
      classes[position] = classes[position - 1]!;
      position--;
    }
    scores[position] = score;
    classes[position] = candidate;
  }

  #isBefore(score: number, candidate: number, position: number): boolean {
    const known = this.classes[position]!;
    if (known < 0) return true;
    const value = this.scores[position]!;
    return score > value || (score === value && candidate < known);
  }
}
