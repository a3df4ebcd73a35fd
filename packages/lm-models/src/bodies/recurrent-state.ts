/**
 * The recurrent state that a network keeps from one minibatch to the next, outside any tape: it enters the next step as
 * a constant, so back-propagation through time is truncated there.
 */
import {
  findTensor,
  matrixTensor,
  restoreMatrix,
  type ModuleState,
  type TensorSource,
} from '@vastmax/linalg-core/state';
import { multiply, type Tape, type Variable } from '@vastmax/autodiff';
import { copy, fill, write, type Backend, type Matrix } from '@vastmax/linalg-core';
import { ModelError } from '../model-error.ts';

export class RecurrentState implements Disposable {
  readonly #backend: Backend;
  readonly #widths: readonly number[];
  #matrices: Matrix[] = [];
  #streams = 0;

  /** @param widths width of each state matrix, over all layers. */
  constructor(backend: Backend, widths: readonly number[]) {
    this.#backend = backend;
    this.#widths = widths;
  }

  /** B, the number of streams with a stored state; 0 before the first minibatch. */
  get streams(): number {
    return this.#streams;
  }

  /**
   * The stored state, B×width each, as constants; zeros if the number of streams has changed.
   * @throws ModelError `shape` when a stream continues (`starts` of the first step is not 1 for all) but there is no
   * stored state for this number of streams.
   */
  constants(tape: Tape, streams: number, starts: Uint8Array): Variable[] {
    if (streams !== this.#streams) {
      for (let stream = 0; stream < streams; stream++) {
        if (starts[stream] === 1) continue;
        throw new ModelError(
          'shape',
          `recurrent model: stream ${stream} of ${streams} goes on, but ${this.#streams === 0 ? 'nothing was' : `${this.#streams} streams were`} carried so far; begin with a minibatch in which all streams start, or restore the state`,
        );
      }
      this.#resize(streams);
    }
    return this.#matrices.map((matrix) => {
      // A copy: the tape's values must not change until its last backward call, and the stored state changes before
      // that.
      const value = tape.allocate(streams, matrix.columns);
      copy(matrix, value);
      return tape.constant(value);
    });
  }

  /** Stores the state after a minibatch. */
  store(state: readonly Variable[]): void {
    for (const [index, matrix] of this.#matrices.entries()) copy(state[index]!.value, matrix);
  }

  tensors(): TensorSource[] {
    return this.#matrices.map((matrix, index) => matrixTensor(tensorName(index), matrix));
  }

  /** @throws ModelError or OutputLayerError `state-mismatch`; nothing is changed. */
  check(state: ModuleState, streams: unknown): void {
    if (!Number.isSafeInteger(streams) || Number(streams) < 0) {
      throw new ModelError(
        'state-mismatch',
        `recurrent model: 'streams' is ${String(streams)} in the checkpoint, expected a whole number`,
      );
    }
    if (streams === 0) return;
    for (const [index, width] of this.#widths.entries()) findTensor(state, tensorName(index), Number(streams), width);
  }

  async restore(state: ModuleState, streams: number): Promise<void> {
    this.#resize(streams);
    for (const [index, matrix] of this.#matrices.entries()) await restoreMatrix(state, tensorName(index), matrix);
  }

  #resize(streams: number): void {
    if (streams === this.#streams) return;
    this[Symbol.dispose]();
    this.#streams = streams;
    if (streams > 0) this.#matrices = this.#widths.map((width) => this.#backend.createMatrix(streams, width));
  }

  [Symbol.dispose](): void {
    for (const matrix of this.#matrices) matrix[Symbol.dispose]();
    this.#matrices = [];
    this.#streams = 0;
  }
}

function tensorName(index: number): string {
  return `carried.${index}`;
}

/**
 * The recurrent state in the state of a body: the number of streams, and the names of the tensors that have a row for
 * each; undefined for a body without recurrent state.
 */
export function recurrentStreamsOf({
  configuration,
  tensors,
}: ModuleState): { readonly streams: number; readonly tensorNames: ReadonlySet<string> } | undefined {
  const { streams } = configuration;
  if (typeof streams !== 'number') return undefined;
  const present = new Set(tensors.map(({ name }) => name));
  const tensorNames = new Set<string>();
  for (let index = 0; present.has(tensorName(index)); index++) tensorNames.add(tensorName(index));
  return { streams, tensorNames };
}

/**
 * The state with the rows of streams that start set to 0; the same object if none starts.
 * @param starts B flags of one step.
 */
export function resetStarts(tape: Tape, state: readonly Variable[], starts: Uint8Array): readonly Variable[] {
  const streams = starts.length;
  let started = 0;
  for (let stream = 0; stream < streams; stream++) started += starts[stream]!;
  if (started === 0) return state;
  if (started === streams) {
    return state.map(({ columns }) => {
      const zeros = tape.allocate(streams, columns);
      fill(0, zeros);
      return tape.constant(zeros);
    });
  }
  const mask = tape.allocate(streams, 1);
  write(
    Float64Array.from(starts, (start) => 1 - start),
    mask,
  );
  const kept = tape.constant(mask);
  return state.map((part) => multiply(part, kept));
}
