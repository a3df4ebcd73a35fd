/**
 * The n-gram body as naive f64 loops: forward for every activation, backward by hand for tanh. Parameters are stored as
 * the body stores them.
 */
import type { NgramBody } from '@vastmax/lm-models';
import { rowsOf, valuesOf } from '../numbers.ts';

/** erf by its series, exact to 1e-12 for |x| < 3. */
function errorFunction(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const naiveActivations: Readonly<Record<string, (x: number) => number>> = {
  tanh: Math.tanh,
  relu: (x) => Math.max(0, x),
  gelu: (x) => (x / 2) * (1 + errorFunction(x / Math.SQRT2)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

interface NaiveLayer {
  readonly weights: Float64Array;
  readonly bias: Float64Array;
  readonly inputs: number;
  readonly outputs: number;
}

export class NaiveNgram {
  readonly embeddings: Float64Array;
  readonly layers: readonly NaiveLayer[];
  readonly #order: number;
  readonly #embedding: number;
  readonly #activation: (x: number) => number;

  constructor(body: NgramBody, embeddings: Float64Array, layers: readonly NaiveLayer[]) {
    this.#order = body.options.order;
    this.#embedding = body.options.embedding;
    this.#activation = naiveActivations[body.options.activation]!;
    this.embeddings = embeddings;
    this.layers = layers;
  }

  /** What each layer puts out for one example, its input first. */
  activationsOf(context: ArrayLike<number>): number[][] {
    const all: number[][] = [[]];
    for (let place = 0; place < this.#order; place++) {
      for (let i = 0; i < this.#embedding; i++) all[0]!.push(this.embeddings[context[place]! * this.#embedding + i]!);
    }
    for (const { weights, bias, inputs, outputs } of this.layers) {
      const x = all[all.length - 1]!;
      const y: number[] = [];
      for (let j = 0; j < outputs; j++) {
        let sum = bias[j]!;
        for (let i = 0; i < inputs; i++) sum += x[i]! * weights[i * outputs + j]!;
        y.push(this.#activation(sum));
      }
      all.push(y);
    }
    return all;
  }

  /** m×features. */
  forward(contexts: Int32Array): Float64Array {
    const rows: number[] = [];
    for (let first = 0; first < contexts.length; first += this.#order) {
      rows.push(...(this.activationsOf(contexts.subarray(first, first + this.#order)).at(-1) ?? []));
    }
    return Float64Array.from(rows);
  }

  /** Plain gradient descent for a tanh body: hiddenGradient m×features belongs to `contexts`. */
  descend(contexts: Int32Array, hiddenGradient: ArrayLike<number>, rate: number): void {
    const embeddingChange = new Float64Array(this.embeddings.length);
    const changes = this.layers.map(({ weights, bias }) => ({
      weights: new Float64Array(weights.length),
      bias: new Float64Array(bias.length),
    }));
    const features = this.layers.at(-1)?.outputs ?? 0;
    for (let example = 0; example * this.#order < contexts.length; example++) {
      const context = contexts.subarray(example * this.#order, (example + 1) * this.#order);
      const activations = this.activationsOf(context);
      let gradient = Array.from({ length: features }, (_, j) => hiddenGradient[example * features + j]!);
      for (let layer = this.layers.length - 1; layer >= 0; layer--) {
        const { weights, inputs, outputs } = this.layers[layer]!;
        const x = activations[layer]!;
        const y = activations[layer + 1]!;
        const below = Array.from({ length: inputs }, () => 0);
        for (let j = 0; j < outputs; j++) {
          const atSum = gradient[j]! * (1 - y[j]! ** 2);
          changes[layer]!.bias[j]! += atSum;
          for (let i = 0; i < inputs; i++) {
            changes[layer]!.weights[i * outputs + j]! += x[i]! * atSum;
            below[i]! += weights[i * outputs + j]! * atSum;
          }
        }
        gradient = below;
      }
      for (let i = 0; i < gradient.length; i++) {
        const word = context[Math.floor(i / this.#embedding)]!;
        embeddingChange[word * this.#embedding + (i % this.#embedding)]! += gradient[i]!;
      }
    }
    for (let i = 0; i < embeddingChange.length; i++) this.embeddings[i]! -= rate * embeddingChange[i]!;
    for (const [layer, change] of changes.entries()) {
      const { weights, bias } = this.layers[layer]!;
      for (let i = 0; i < weights.length; i++) weights[i]! -= rate * change.weights[i]!;
      for (let i = 0; i < bias.length; i++) bias[i]! -= rate * change.bias[i]!;
    }
  }
}

/** A copy of the body's weights as they are now. */
export async function naiveTwinOf(body: NgramBody): Promise<NaiveNgram> {
  const values = await Promise.all(body.parameters.matrices.map(({ value }) => valuesOf(value)));
  const layers: NaiveLayer[] = [];
  for (let i = 0; i < values.length; i += 2) {
    const { rows, columns } = body.parameters.matrices[i]!.value;
    layers.push({ weights: values[i]!, bias: values[i + 1]!, inputs: rows, outputs: columns });
  }
  return new NaiveNgram(body, await rowsOf(body.embeddings.table), layers);
}
