/**
 * The expected loss of negative sampling (softmax-losses' exact-losses.ts) for the examples of all ranks. Each rank
 * adds the terms of its own classes. Besides the examples, one number for each of them is sent.
 */
import { read, type Workspace } from '@vastmax/linalg-core';
import type { FixedProposal } from '@vastmax/softmax-losses';
import {
  ClassVectors,
  createDotGeometry,
  expectedLogisticLosses,
  MergedTargets,
  TargetList,
  type ClassTable,
} from '@vastmax/softmax-losses/layer-parts';
import type { Communicator } from '@vastmax/collectives';
import { localRowOf, ownerOf, rowOf, type RowPartition } from '../rows/row-partition.ts';
import type { GlobalBatch } from './global-batch.ts';

export interface LogisticSampling {
  readonly proposal: FixedProposal;
  /** n. */
  readonly tries: number;
  readonly removeHits: boolean;
}

export class PartialLogistic {
  readonly #communicator: Communicator;
  readonly #partition: RowPartition;
  readonly #vectors: ClassVectors;
  readonly #sampling: LogisticSampling;
  readonly #list = new TargetList();
  readonly #merged = new MergedTargets();

  constructor(
    communicator: Communicator,
    partition: RowPartition,
    own: ClassTable,
    workspace: Workspace,
    sampling: LogisticSampling,
  ) {
    this.#communicator = communicator;
    this.#partition = partition;
    this.#vectors = new ClassVectors(own, createDotGeometry(workspace, own.bias, own.features), workspace);
    this.#sampling = sampling;
  }

  /** The loss of every example, the same on every rank. A collective. */
  async forward({
    hidden,
    examples,
    count,
    rows,
    classes,
    weights,
  }: GlobalBatch): Promise<{ readonly losses: Float64Array }> {
    const { rank } = this.#communicator;
    const { proposal, tries, removeHits } = this.#sampling;
    const totals = new Float64Array(examples);
    this.#list.begin(examples, count);
    for (let entry = 0; entry < count; entry++) {
      totals[rows[entry]!]! += weights[entry]!;
      if (ownerOf(this.#partition, classes[entry]!) === rank)
        this.#list.add(rows[entry]!, localRowOf(this.#partition, classes[entry]!), weights[entry]!);
    }
    this.#merged.buildAlone(this.#list);
    const local = { logProbability: (row: number) => proposal.logProbability(rowOf(this.#partition, rank, row)) };
    const partial = expectedLogisticLosses(
      this.#vectors,
      hidden,
      this.#merged,
      { proposal: local, tries, removeHits },
      totals,
    );
    const losses = Float64Array.from((await read(partial)).subarray(0, examples));
    this.#communicator.allReduce(losses);
    return { losses };
  }
}
