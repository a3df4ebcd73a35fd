/** The parts of a transformer: its options, the norms, rotary positions, and a layer of attention and feed-forward. */
import {
  gelu,
  layerNorm,
  matmul,
  multiply,
  relu,
  rmsNorm,
  rotary,
  sigmoid,
  type Tape,
  type Variable,
} from '@vastmax/autodiff';
import { fill, gatherRows, write, type Backend, type Indices, type Matrix } from '@vastmax/linalg-core';
import type { RandomGenerator } from '@vastmax/sparse-data';
import { createUniform, Parameter } from './layers.ts';

/** How a transformer knows positions. */
export const positionNames = ['rotary', 'learned'] as const;
/** A way of a transformer to know positions. */
export type PositionName = (typeof positionNames)[number];
/** Norms of a transformer: layer norm, or root mean square. */
export const normNames = ['layer', 'rms'] as const;
/** A norm of a transformer. */
export type NormName = (typeof normNames)[number];
/** Activations of the feed-forward networks of a transformer. */
export const feedForwardNames = ['gelu', 'relu', 'swiglu'] as const;
/** An activation of the feed-forward networks of a transformer. */
export type FeedForwardName = (typeof feedForwardNames)[number];

/** Sizes, parts and start of a {@link TransformerBody}. */
export interface TransformerBodyOptions {
  /** Rows of the embedding table: the number of different words or items. */
  readonly inputs: number;
  /** Width of an embedding, of every layer, and of the input of the output layer. */
  readonly embedding: number;
  readonly layers: number;
  /** Attention heads of a layer; `embedding` is a multiple of it, an even one with rotary positions. */
  readonly heads: number;
  /** The most positions that a sequence may have. */
  readonly context: number;
  /** Width of the feed-forward networks; 4 times `embedding` unless given. */
  readonly feedForward?: number;
  /** `gelu` unless given; `swiglu` has a third matrix (arXiv:2002.05202). */
  readonly activation?: FeedForwardName;
  /** `rotary` unless given (arXiv:2104.09864); `learned`: a vector for each position, added to the embedding. */
  readonly positions?: PositionName;
  /** `layer` unless given; `rms` has no mean and no bias (arXiv:1910.07467). */
  readonly norm?: NormName;
  /**
   * Probability of dropping an activation in training, of the embeddings and of what each layer adds; 0 unless given.
   */
  readonly dropout?: number;
  /** Standard deviation of the embeddings' normal start; 0.1 unless given. */
  readonly embeddingScale?: number;
  readonly seed?: number;
}

/** As many heads of 8, 4, 2, 1 as fit with at least 32 numbers each. */
export function defaultHeads(embedding: number): number {
  return [8, 4, 2].find((count) => embedding % (2 * count) === 0 && embedding / count >= 32) ?? 1;
}

/** x turned by its position. */
export type Turn = (x: Variable) => Variable;

/** The angles of rotary positions: context×width cosines, and sines with the signs that `rotary` wants. */
export class Rotation implements Disposable {
  readonly #heads: number;
  readonly #cosines: Matrix;
  readonly #sines: Matrix;

  constructor(backend: Backend, context: number, width: number, heads: number) {
    this.#heads = heads;
    this.#cosines = backend.createMatrix(context, width);
    this.#sines = backend.createMatrix(context, width);
    const half = width / heads / 2;
    const angleOf = (i: number): number => Math.floor(i / width) * 10_000 ** -((i % half) / half);
    const values = Float64Array.from({ length: context * width }, (_, i) => Math.cos(angleOf(i)));
    write(values, this.#cosines);
    for (let i = 0; i < values.length; i++) values[i] = (i % (2 * half) < half ? -1 : 1) * Math.sin(angleOf(i));
    write(values, this.#sines);
  }

  at(tape: Tape, positions: Indices): Turn {
    const rowsOf = (table: Matrix): Variable => {
      const rows = tape.allocate(positions.count, table.columns);
      gatherRows(table, positions, rows);
      return tape.constant(rows);
    };
    const [cosines, sines] = [rowsOf(this.#cosines), rowsOf(this.#sines)];
    return (x) => rotary(x, cosines, sines, this.#heads);
  }

  [Symbol.dispose](): void {
    this.#cosines[Symbol.dispose]();
    this.#sines[Symbol.dispose]();
  }
}

export class Norm {
  readonly parameters: readonly Parameter[];
  readonly #gain: Parameter;
  readonly #bias: Parameter | undefined;

  /** @param gain at the start of training. */
  constructor(backend: Backend, name: string, { embedding, norm }: Required<TransformerBodyOptions>, gain = 1) {
    const gains = backend.createMatrix(1, embedding);
    fill(gain, gains);
    this.#gain = new Parameter(`${name}.gain`, gains);
    if (norm === 'layer') this.#bias = new Parameter(`${name}.bias`, backend.createMatrix(1, embedding));
    this.parameters = this.#bias === undefined ? [this.#gain] : [this.#gain, this.#bias];
  }

  apply(tape: Tape, x: Variable): Variable {
    if (this.#bias === undefined) return rmsNorm(x, this.#gain.use(tape));
    return layerNorm(x, this.#gain.use(tape), this.#bias.use(tape));
  }
}

export class TransformerLayer {
  readonly parameters: readonly Parameter[];
  readonly #attentionNorm: Norm;
  readonly #feedForwardNorm: Norm;
  readonly #query: Parameter;
  readonly #key: Parameter;
  readonly #value: Parameter;
  readonly #output: Parameter;
  readonly #up: Parameter;
  readonly #gate: Parameter | undefined;
  readonly #down: Parameter;
  readonly #activation: FeedForwardName;

  constructor(backend: Backend, name: string, options: Required<TransformerBodyOptions>, random: RandomGenerator) {
    const { embedding, feedForward, layers, activation } = options;
    // The inputs are normalised, so outputs have variance 1; what is added to x, less the more layers add.
    const weights = (part: string, rows: number, columns: number, scale = 1): Parameter =>
      new Parameter(`${name}.${part}`, createUniform(backend, rows, columns, scale * Math.sqrt(3 / rows), random));
    const added = 1 / Math.sqrt(2 * layers);
    this.#activation = activation;
    this.#attentionNorm = new Norm(backend, `${name}.attentionNorm`, options);
    this.#query = weights('query', embedding, embedding);
    this.#key = weights('key', embedding, embedding);
    this.#value = weights('value', embedding, embedding);
    this.#output = weights('output', embedding, embedding, added);
    this.#feedForwardNorm = new Norm(backend, `${name}.feedForwardNorm`, options);
    this.#up = weights('up', embedding, feedForward);
    if (activation === 'swiglu') this.#gate = weights('gate', embedding, feedForward);
    this.#down = weights('down', feedForward, embedding, added);
    this.parameters = [
      ...this.#attentionNorm.parameters,
      this.#query,
      this.#key,
      this.#value,
      this.#output,
      ...this.#feedForwardNorm.parameters,
      this.#up,
      ...(this.#gate === undefined ? [] : [this.#gate]),
      this.#down,
    ];
  }

  /** @param attend of queries, keys and values. */
  attend(
    tape: Tape,
    x: Variable,
    attend: (query: Variable, key: Variable, value: Variable) => Variable,
    turn: Turn = (same) => same,
  ): Variable {
    const normalized = this.#attentionNorm.apply(tape, x);
    const query = turn(matmul(normalized, this.#query.use(tape)));
    const key = turn(matmul(normalized, this.#key.use(tape)));
    const value = matmul(normalized, this.#value.use(tape));
    return matmul(attend(query, key, value), this.#output.use(tape));
  }

  feedForward(tape: Tape, x: Variable): Variable {
    const normalized = this.#feedForwardNorm.apply(tape, x);
    const up = matmul(normalized, this.#up.use(tape));
    return matmul(this.#activate(tape, normalized, up), this.#down.use(tape));
  }

  #activate(tape: Tape, normalized: Variable, up: Variable): Variable {
    if (this.#gate === undefined) return this.#activation === 'relu' ? relu(up) : gelu(up);
    const gate = matmul(normalized, this.#gate.use(tape));
    return multiply(multiply(gate, sigmoid(gate)), up);
  }
}
