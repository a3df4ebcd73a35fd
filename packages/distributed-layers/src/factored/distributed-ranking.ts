/**
 * Rankings over all D classes: the activations of all ranks are sent to every rank (Σm·d numbers), each rank scores its
 * own classes for them, and returns k candidates, or one count, for each example and rank. The alternative, sending the
 * rows to the examples, would move D·d numbers.
 */
import { createHostArray, read, write, type FloatArray, type Matrix } from '@vastmax/linalg-core';
import {
  checkExampleClasses,
  checkHidden,
  OutputLayerError,
  withBiasFeature,
  type OutputLayer,
  type TopK,
} from '@vastmax/output-layer';
import type { SphericalLoss } from '@vastmax/spherical-losses';
import { ClassScores, type ClassConstants } from '@vastmax/spherical-losses/factored-parts';
import { localRowOf, ownerOf, rowOf } from '../rows/row-partition.ts';
import type { RankContext } from './class-shard.ts';
import { localErrorOf, type GlobalCounts } from './collective-preflight.ts';

/** Scores held at once for one block. */
const scoresPerBlock = 1_048_576;

type Layer = Pick<OutputLayer, 'kind' | 'backend' | 'classes' | 'features'> & {
  readonly loss: SphericalLoss;
  readonly bias: boolean;
};

export class DistributedRanking implements Disposable {
  readonly #layer: Layer;
  readonly #context: RankContext;
  readonly #scores: ClassScores;

  constructor(layer: Layer, context: RankContext) {
    this.#layer = layer;
    this.#context = context;
    this.#scores = new ClassScores(context.backend, context.workspace, context.weights, layer.loss.name);
  }

  /** @param hidden this rank's own activations. @param constants of this rank's own classes. */
  async topK(hidden: Matrix, k: number, constants: ClassConstants | undefined, busy: unknown): Promise<TopK> {
    const { classes: total } = this.#layer;
    const localError = localErrorOf(busy, () => {
      checkHidden(this.#layer, 'topK', hidden);
      if (!Number.isSafeInteger(k) || k < 1 || k > total)
        throw new OutputLayerError(
          'bad-option',
          `topK: k must be a whole number from 1 to ${total} (the classes), got ${k}`,
        );
    });
    const counts = this.#context.preflight.begin('topK', { localError, same: { k }, examples: hidden.rows });
    const { rank, size } = this.#context.communicator;
    const examples = counts.totalExamples;
    const best = new BestList(examples, k);
    await this.#eachBlock(await this.#gatherHidden(hidden, counts), constants, (block, firstLocal, columns) => {
      for (let example = 0; example < examples; example++) {
        for (let column = 0; column < columns; column++)
          best.offer(
            example,
            block[example * columns + column]!,
            rowOf(this.#context.partition, rank, firstLocal + column),
          );
      }
    });
    // Sends each rank's candidates to the ranks of their examples.
    const sent = counts.examples.map((count) => count * k);
    const received = hidden.rows * k;
    const scores = new Float64Array(received * size);
    const classes = new Int32Array(received * size);
    const incoming = new Int32Array(size).fill(received);
    this.#context.communicator.allToAll(best.scores, sent, scores, incoming);
    this.#context.communicator.allToAll(best.classes, sent, classes, incoming);
    const merged = new BestList(hidden.rows, k);
    for (let i = 0; i < scores.length; i++)
      if (classes[i]! >= 0) merged.offer(Math.floor((i % received) / k), scores[i]!, classes[i]!);
    return { k, classes: merged.classes, scores: merged.scores };
  }

  async ranksOf(
    hidden: Matrix,
    targets: Int32Array,
    constants: ClassConstants | undefined,
    busy: unknown,
  ): Promise<Float64Array> {
    const localError = localErrorOf(busy, () => {
      checkHidden(this.#layer, 'ranksOf', hidden);
      checkExampleClasses(this.#layer, 'ranksOf', hidden, targets);
    });
    const counts = this.#context.preflight.begin('ranksOf', { localError, same: {}, examples: hidden.rows });
    const { rank } = this.#context.communicator;
    const examples = counts.totalExamples;
    const all = await this.#gatherHidden(hidden, counts);
    const allTargets = new Int32Array(examples);
    this.#context.communicator.allGather(targets, counts.examples, allTargets);
    const own = await this.#targetScores(all, allTargets, constants);
    const above = new Float64Array(examples);
    await this.#eachBlock(all, constants, (block, firstLocal, columns) => {
      for (let example = 0; example < examples; example++) {
        const mine = own[example]!;
        const isOwner = ownerOf(this.#context.partition, allTargets[example]!) === rank;
        const target = isOwner ? localRowOf(this.#context.partition, allTargets[example]!) - firstLocal : -1;
        for (let other = 0, i = example * columns; other < columns; other++, i++) {
          if (other === target) continue;
          if (block[i]! > mine) above[example]! += 1;
          else if (block[i] === mine) above[example]! += 0.5;
        }
      }
    });
    this.#context.communicator.allReduce(above);
    const first = counts.examples.slice(0, rank).reduce((sum, count) => sum + count, 0);
    return above.subarray(first, first + hidden.rows).map((better) => better + 1);
  }

  /** The score of each example's own target, which its owner computes. */
  async #targetScores(
    hidden: Matrix,
    targets: Int32Array,
    constants: ClassConstants | undefined,
  ): Promise<Float64Array> {
    const { rank } = this.#context.communicator;
    const locals = targets.map((target) =>
      ownerOf(this.#context.partition, target) === rank ? localRowOf(this.#context.partition, target) : 0,
    );
    const known = new Float64Array(targets.length);
    if (this.#context.weights.classes > 0) {
      const column = this.#context.workspace.matrix('global target scores', targets.length, 1);
      this.#scores.each(hidden, locals, constants, this.#layer.loss.score, column);
      const values = await read(column);
      for (let i = 0; i < targets.length; i++)
        if (ownerOf(this.#context.partition, targets[i]!) === rank) known[i] = values[i]!;
    }
    this.#context.communicator.allReduce(known);
    const bad = known.findIndex((value) => Number.isNaN(value));
    if (bad >= 0) throw new OutputLayerError('diverged', `ranksOf: the score of class ${targets[bad]!} is NaN`);
    return known;
  }

  /** The activations of all ranks, with the bias feature. */
  async #gatherHidden(own: Matrix, counts: GlobalCounts): Promise<Matrix> {
    const hidden = withBiasFeature(this.#context.workspace, own, this.#layer.bias);
    const { columns } = hidden;
    const all = createHostArray(this.#context.backend, counts.totalExamples * columns);
    this.#context.communicator.allGather(
      await read(hidden),
      counts.examples.map((count) => count * columns),
      all,
    );
    const matrix = this.#context.workspace.matrix('global hidden', counts.totalExamples, columns);
    write(all, matrix);
    return matrix;
  }

  async #eachBlock(
    hidden: Matrix,
    constants: ClassConstants | undefined,
    visit: (block: FloatArray, firstLocal: number, columns: number) => void,
  ): Promise<void> {
    const own = this.#context.weights.classes;
    const widest = Math.max(1, Math.min(own, Math.floor(scoresPerBlock / Math.max(1, hidden.rows))));
    const host = createHostArray(this.#context.backend, hidden.rows * widest);
    for (let first = 0; first < own; first += widest) {
      const columns = Math.min(widest, own - first);
      const out = this.#context.workspace.matrix('global scores', hidden.rows, columns);
      this.#scores.range(hidden, first, constants, this.#layer.loss.score, out);
      visit(await read(out, host), first, columns);
    }
  }

  [Symbol.dispose](): void {
    this.#scores[Symbol.dispose]();
  }
}

/** For each example the k best classes so far, best first; of equal scores the smaller class number. */
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
