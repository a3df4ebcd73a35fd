/** A text that a transformer reads once, a few words after the others, by the keys and values that it has kept. */
import type { Tape, Variable } from '@vastmax/autodiff';
import { Workspace, write, type Backend, type Indices, type Matrix } from '@vastmax/linalg-core';
import { ModelError } from '../model-error.ts';
import type { BodyReader } from '../network/network.ts';
import { AttentionCache, type CacheSizes } from './attention-cache.ts';

/** Positions that are read at once. */
const rowsPerRead = 256;

/** Attention of projected positions. */
export type Attend = (query: Variable, key: Variable, value: Variable) => Variable;

/** All layers over new positions; the result is the output at some of them. */
type RunLayers = (
  tape: Tape,
  words: Indices,
  positions: Indices,
  attendOf: (layer: number) => Attend,
) => (rows: Indices) => Variable;

/** Reads a text once; see {@link BodyReader}. */
export class TransformerReader implements BodyReader {
  readonly capacity: number;
  readonly #run: RunLayers;
  readonly #workspace: Workspace;
  readonly #caches: readonly AttentionCache[];
  #length = 0;

  /** @param sizes of the body. */
  constructor(backend: Backend, sizes: CacheSizes & { readonly layers: number }, run: RunLayers) {
    this.capacity = sizes.context;
    this.#run = run;
    this.#workspace = new Workspace(backend);
    this.#caches = Array.from({ length: sizes.layers }, () => new AttentionCache(backend, sizes));
  }

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  read(tape: Tape, words: ArrayLike<number>): Variable {
    if (words.length === 0 || this.#length + words.length > this.capacity) {
      throw new ModelError(
        'shape',
        `transformer model: ${words.length} words after ${this.#length}; at least 1 is needed, and ${this.capacity} fit in all`,
      );
    }
    let first = 0;
    for (; words.length - first > rowsPerRead; first += rowsPerRead) {
      this.#readBlock(
        tape,
        Int32Array.from({ length: rowsPerRead }, (_, i) => words[first + i]!),
      );
    }
    const rest = Int32Array.from({ length: words.length - first }, (_, i) => words[first + i]!);
    return this.#readBlock(tape, rest)(this.#workspace.indices('last', Int32Array.of(rest.length - 1)));
  }

  #readBlock(tape: Tape, words: Int32Array): (rows: Indices) => Variable {
    const before = this.#length;
    const positions = this.#workspace.indices(
      'positions',
      words.map((_, i) => before + i),
    );
    const mask = words.length === 1 ? undefined : this.#mask(before, words.length);
    const outputs = this.#run(tape, this.#workspace.indices('words', words), positions, (layer) => (...projected) => {
      const [query, key, value] = projected;
      const held = [query.value, key.value, value.value] as const;
      return tape.constant(this.#caches[layer]!.attend(tape, held, { before, positions, mask }));
    });
    this.#length += words.length;
    return outputs;
  }

  #mask(before: number, rows: number): Matrix {
    const columns = before + rows;
    const values = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) values.fill(-Infinity, row * columns + before + row + 1, (row + 1) * columns);
    const mask = this.#workspace.matrix('mask', rows, columns);
    write(values, mask);
    return mask;
  }

  [Symbol.dispose](): void {
    for (const owned of [this.#workspace, ...this.#caches]) owned[Symbol.dispose]();
  }
}
