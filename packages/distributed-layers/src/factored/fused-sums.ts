/**
 * Everything that a step sums over the ranks, in one buffer, so that it is one allReduce for every d:
 *
 *     p status words   E d(d+1)/2   Y d²   N d(d+1)/2   v d   Δw̄ d   Δω d
 *
 * E and N are symmetric, so only one triangle of each is sent: 2d² + 4d + p numbers instead of 3d² + 3d + p.
 */
import { createHostArray, read, write, type Backend, type FloatArray, type Matrix } from '@vastmax/linalg-core';
import type { Communicator } from '@vastmax/collectives';
import type { SumName } from '@vastmax/spherical-losses/factored-parts';

/** In the order of the buffer. */
const sums: readonly (readonly [SumName, 'triangle' | 'square' | 'row'])[] = [
  ['change', 'triangle'],
  ['cross', 'square'],
  ['gram', 'triangle'],
  ['gammaVector', 'row'],
  ['columnSum', 'row'],
  ['shift', 'row'],
];

export class FusedSums {
  readonly #communicator: Communicator;
  readonly #width: number;
  readonly #buffer: FloatArray;
  readonly #square: FloatArray;

  constructor(communicator: Communicator, backend: Backend, width: number) {
    this.#communicator = communicator;
    this.#width = width;
    this.#square = createHostArray(backend, width * width);
    let length = communicator.size;
    for (const [, shape] of sums) length += lengthOf(shape, width);
    this.#buffer = createHostArray(backend, length);
  }

  /** How many numbers an allReduce sums. */
  get length(): number {
    return this.#buffer.length;
  }

  /** Clears the buffer: all sums 0, no status. */
  clear(): void {
    this.#buffer.fill(0);
  }

  /** Marks this rank as failed and clears its numbers, which must not affect the sums of the others. */
  fail(): void {
    this.clear();
    this.#buffer[this.#communicator.rank] = 1;
  }

  async put(sum: SumName, matrix: Matrix): Promise<void> {
    const [place, shape] = this.#find(sum);
    const target = this.#buffer.subarray(place, place + lengthOf(shape, this.#width));
    if (shape !== 'triangle') {
      await read(matrix, target);
      return;
    }
    await read(matrix, this.#square);
    for (let i = 0, to = 0; i < this.#width; i++) {
      for (let j = 0, from = i * this.#width; j <= i; j++, from++) target[to++] = this.#square[from]!;
    }
  }

  /** Sums over the ranks. A collective. @returns the first rank that failed. */
  reduce(): number | undefined {
    this.#communicator.allReduce(this.#buffer);
    for (let rank = 0; rank < this.#communicator.size; rank++) if (this.#buffer[rank] !== 0) return rank;
    return undefined;
  }

  take(sum: SumName, matrix: Matrix): Matrix {
    const [place, shape] = this.#find(sum);
    const source = this.#buffer.subarray(place, place + lengthOf(shape, this.#width));
    if (shape !== 'triangle') {
      write(source, matrix);
      return matrix;
    }
    const width = this.#width;
    for (let i = 0, from = 0; i < width; i++) {
      for (let j = 0; j <= i; j++) {
        const value = source[from++]!;
        this.#square[i * width + j] = value;
        this.#square[j * width + i] = value;
      }
    }
    write(this.#square, matrix);
    return matrix;
  }

  #find(sum: SumName): [place: number, shape: 'triangle' | 'square' | 'row'] {
    let place = this.#communicator.size;
    for (const [name, shape] of sums) {
      if (name === sum) return [place, shape];
      place += lengthOf(shape, this.#width);
    }
    throw new RangeError(`no sum ${sum}`);
  }
}

function lengthOf(shape: 'triangle' | 'square' | 'row', width: number): number {
  if (shape === 'row') return width;
  return shape === 'square' ? width * width : (width * (width + 1)) / 2;
}
