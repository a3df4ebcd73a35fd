/**
 * Minibatches that look like those of a trained network, without one: activations are tanh(A x + b) of a latent x that
 * depends on the target's class, so that they are correlated with each other and with the targets, as hidden layers
 * are. Independent noise would be kinder to the factored layer than any data, since its map U then stays near a
 * multiple of the identity.
 */
import { type Backend, createMatrixFrom, type Matrix } from '@vastmax/linalg-core';
import { type CsrRows, RandomGenerator, singleTargets } from '@vastmax/sparse-data';

/** How targets are distributed over the classes: like words, or all alike. */
type TargetDistribution = 'zipf' | 'uniform';

export interface Minibatch {
  /** m×d. */
  readonly hidden: Matrix;
  /** K = 1. Over `classes`, which may be changed in place. */
  readonly targets: CsrRows;
  readonly classes: Int32Array;
}

export interface MinibatchOptions {
  readonly classes: number;
  readonly features: number;
  readonly batch: number;
  /** How many different minibatches. */
  readonly count: number;
  readonly distribution: TargetDistribution;
  readonly seed?: number;
}

const latentWidth = 32;
/** Classes share so many different latent means. */
const prototypes = 1024;

/** A cycle of minibatches on a backend. Disposing it disposes their activations. */
export class MinibatchCycle implements Disposable {
  readonly batches: readonly Minibatch[];
  readonly #random: RandomGenerator;
  readonly #options: MinibatchOptions;
  #next = 0;

  constructor(backend: Backend, options: MinibatchOptions) {
    const { batch, count, classes, features, seed = 1 } = options;
    this.#options = options;
    this.#random = new RandomGenerator(seed);
    const activations = createActivations(features, this.#random);
    this.batches = Array.from({ length: count }, () => {
      const ids = new Int32Array(batch);
      this.#draw(ids);
      const hidden = createMatrixFrom(backend, batch, features, activations(ids));
      return { hidden, targets: singleTargets(ids, classes), classes: ids };
    });
  }

  /** The next one, the first after the last. */
  next(): Minibatch {
    const batch = this.batches[this.#next];
    if (batch === undefined) throw new RangeError('a cycle of minibatches needs at least one');
    this.#next = (this.#next + 1) % this.batches.length;
    return batch;
  }

  /** The next one with targets drawn anew, so that their rows are in no cache. */
  nextRedrawn(): Minibatch {
    const batch = this.next();
    this.#draw(batch.classes);
    return batch;
  }

  #draw(ids: Int32Array): void {
    const { classes, distribution } = this.#options;
    for (let i = 0; i < ids.length; i++)
      ids[i] = distribution === 'zipf' ? zipf(this.#random, classes) : this.#random.integer(classes);
  }

  [Symbol.dispose](): void {
    for (const { hidden } of this.batches) hidden[Symbol.dispose]();
  }
}

/** P(k) = ln((k + 2)/(k + 1))/ln(D + 1): Zipf's law with exponent 1, by inversion. */
function zipf(random: RandomGenerator, classes: number): number {
  return Math.min(classes - 1, Math.floor(Math.exp(random.uniform() * Math.log(classes + 1))) - 1);
}

function createActivations(features: number, random: RandomGenerator): (classes: Int32Array) => Float32Array {
  const normals = (length: number, deviation: number): Float64Array =>
    Float64Array.from({ length }, () => deviation * random.normal());
  const projection = normals(features * latentWidth, 1 / Math.sqrt(latentWidth));
  const bias = normals(features, 0.3);
  const means = normals(prototypes * latentWidth, 1);
  const latent = new Float64Array(latentWidth);
  return (classes) => {
    const values = new Float32Array(classes.length * features);
    for (let example = 0, place = 0; example < classes.length; example++) {
      const first = (classes[example]! % prototypes) * latentWidth;
      for (let i = 0; i < latentWidth; i++) latent[i] = means[first + i]! + random.normal();
      for (let feature = 0; feature < features; feature++) {
        let sum = bias[feature]!;
        for (let i = 0; i < latentWidth; i++) sum += projection[feature * latentWidth + i]! * latent[i]!;
        values[place++] = Math.tanh(sum + 0.3 * random.normal());
      }
    }
    return values;
  };
}
