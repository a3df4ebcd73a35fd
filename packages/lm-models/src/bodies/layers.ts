/** The parts of bodies: trained matrices and tables, embeddings, and dropout. */
import {
  dropout,
  gelu,
  relu,
  sigmoid,
  tanh,
  type TableGradient,
  type TableVariable,
  type Tape,
  type Variable,
} from '@vastmax/autodiff';
import { type Backend, type Matrix, type RowTable, write, writeRows } from '@vastmax/linalg-core';
import {
  findTensor,
  matrixTensor,
  restoreMatrix,
  restoreTable,
  tableTensor,
  type JsonObject,
  type ModuleState,
  type TensorSource,
} from '@vastmax/linalg-core/state';
import { RandomGenerator } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';

/**
 * A matrix that training changes. A body records it on the step's tape with `use`; the optimizer then reads its
 * gradient here.
 */
export class Parameter implements Disposable {
  readonly name: string;
  readonly value: Matrix;
  #variable: Variable | undefined;

  constructor(name: string, value: Matrix) {
    this.name = name;
    this.value = value;
  }

  use(tape: Tape): Variable {
    this.#variable = tape.variable(this.value);
    return this.#variable;
  }

  /** Of the current step; undefined when the step's output did not depend on it. */
  get gradient(): Matrix | undefined {
    return this.#variable?.gradient;
  }

  [Symbol.dispose](): void {
    this.value[Symbol.dispose]();
  }
}

/** A table of which a step reads and changes a few rows, such as embeddings. Its gradients are row-sparse. */
export class TableParameter implements Disposable {
  readonly name: string;
  readonly table: RowTable;
  #variable: TableVariable | undefined;
  #replacement: readonly TableGradient[] | undefined;

  constructor(name: string, table: RowTable) {
    this.name = name;
    this.table = table;
  }

  use(tape: Tape): TableVariable {
    this.#variable = tape.table(this.table);
    this.#replacement = undefined;
    return this.#variable;
  }

  get gradients(): readonly TableGradient[] {
    return this.#replacement ?? this.#variable?.gradients ?? [];
  }

  /**
   * For the current step: the gradients that the optimizer applies instead of this process's own, such as those of all
   * ranks of a job.
   */
  replaceGradients(gradients: readonly TableGradient[]): void {
    this.#replacement = gradients;
  }

  [Symbol.dispose](): void {
    this.table[Symbol.dispose]();
  }
}

/** All parameters of a body, for the optimizer. */
export interface ModelParameters {
  readonly matrices: readonly Parameter[];
  readonly tables: readonly TableParameter[];
}

/** `zeros`: without random numbers, because a checkpoint replaces all of them. */
export type BodyStart = 'random' | 'zeros';

/** A table of `rows` normal vectors with the given standard deviation. O(rows·columns). */
export function createEmbeddings(
  backend: Backend,
  rows: number,
  columns: number,
  scale: number,
  random: RandomGenerator,
  start: BodyStart,
): TableParameter {
  const embeddings = new TableParameter('embeddings', backend.createTable(rows, columns));
  if (start === 'zeros') return embeddings;
  const rowsPerBlock = 1024;
  const block = new Float64Array(rowsPerBlock * columns);
  for (let first = 0; first < rows; first += rowsPerBlock) {
    const values = block.subarray(0, Math.min(rowsPerBlock, rows - first) * columns);
    random.normals(values, scale);
    writeRows(values, first, embeddings.table);
  }
  return embeddings;
}

/**
 * Which part of a minibatch a rank has: its examples, or streams of a sequence model, are `first` … of `total` of all
 * ranks.
 */
export interface BatchPart {
  readonly first: number;
  readonly total: number;
  /** Of sparse inputs: likewise for their entries. */
  readonly entries?: { readonly first: number; readonly total: number };
}

/** Rows of a matrix as a part of those of all ranks: of each `total` rows `count` from `first` on are here. */
export interface RowPart {
  readonly first: number;
  readonly count: number;
  readonly total: number;
}

/**
 * Dropout whose random numbers belong to a body: reproducible for a seed, and saved with the body. Over ranks all draw
 * the numbers of the whole minibatch, and each uses those of its own rows: the masks, and the state that is saved, are
 * those of one process. O(numbers of the whole minibatch) on the host.
 */
export class SeededDropout {
  readonly rate: number;
  readonly #random: RandomGenerator;
  readonly #uniform: () => number;

  /** @param rate probability of dropping an activation in training. */
  constructor(rate: number, seed: number) {
    this.rate = rate;
    this.#random = new RandomGenerator(seed);
    this.#uniform = () => this.#random.uniform();
  }

  /**
   * x itself when nothing is dropped or `training` is false.
   * @param rows where the rows of x are a rank's part.
   */
  apply(x: Variable, training: boolean, rows?: RowPart): Variable {
    if (rows === undefined || this.rate === 0 || !training)
      return dropout(x, { rate: this.rate, random: this.#uniform, training });
    const { columns } = x;
    const random = this.source({
      first: rows.first * columns,
      count: rows.count * columns,
      total: rows.total * columns,
    });
    return x.rows === 0 ? x : dropout(x, { rate: this.rate, random, training });
  }

  /**
   * Uniform in [0, 1), for dropout on the host, one for each number.
   * @param numbers which numbers are a rank's part; where it has none, those of all are drawn at once.
   */
  source(numbers?: RowPart): () => number {
    if (numbers === undefined) return this.#uniform;
    const { first, count, total } = numbers;
    if (count === 0) {
      this.#skip(total);
      return this.#uniform;
    }
    let place = 0;
    return () => {
      if (place === 0) this.#skip(first);
      const value = this.#random.uniform();
      if (++place === count) {
        place = 0;
        this.#skip(total - first - count);
      }
      return value;
    };
  }

  #skip(count: number): void {
    for (let i = 0; i < count; i++) this.#random.uniform();
  }

  state(): JsonObject {
    return { ...this.#random.state() };
  }

  restore(state: unknown): void {
    this.#random.restore(state);
  }
}

/** The names of the functions after a dense layer. */
export const activationNames = ['tanh', 'relu', 'gelu', 'sigmoid'] as const;
/** The function after a dense layer. */
export type ActivationName = (typeof activationNames)[number];
export const activations: Readonly<Record<ActivationName, (x: Variable) => Variable>> = { tanh, relu, gelu, sigmoid };

/** Uniform in [−bound, bound). */
export function createUniform(
  backend: Backend,
  rows: number,
  columns: number,
  bound: number,
  random: RandomGenerator,
): Matrix {
  const matrix = backend.createMatrix(rows, columns);
  write(
    Float64Array.from({ length: rows * columns }, () => bound * (2 * random.uniform() - 1)),
    matrix,
  );
  return matrix;
}

/** Used by all bodies: the checks of their options, and how their state is saved and restored. */

/** @throws ModelError `bad-option` naming the model, the size and its value. */
export function checkSizes(model: string, sizes: readonly (readonly [string, number])[]): void {
  for (const [name, value] of sizes) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new ModelError('bad-option', `${model}: ${name} must be a whole number of at least 1, got ${value}`);
  }
}

/** @throws ModelError `bad-option` for a name that is not among `names`. */
export function checkName(model: string, what: string, value: string, names: readonly string[]): void {
  if (!names.includes(value))
    throw new ModelError('bad-option', `${model}: no ${what} is called '${value}'; there are ${names.join(', ')}`);
}

/**
 * @throws ModelError `bad-option` for a probability of 1, which would drop everything, or a value that is no
 * probability.
 */
export function checkDropout(model: string, name: string, value: number): void {
  if (!(value >= 0 && value < 1))
    throw new ModelError('bad-option', `${model}: ${name} must be at least 0 and less than 1, got ${value}`);
}

/** @throws ModelError `bad-option` for an initial scale of 0, which cannot be trained. */
export function checkScale(model: string, name: string, value: number): void {
  if (!(value > 0) || !Number.isFinite(value))
    throw new ModelError('bad-option', `${model}: ${name} must be a finite number above 0, got ${value}`);
}

export function parameterTensors({ tables, matrices }: ModelParameters): TensorSource[] {
  return [
    ...tables.map(({ name, table }) => tableTensor(name, table)),
    ...matrices.map(({ name, value }) => matrixTensor(name, value)),
  ];
}

/**
 * @throws OutputLayerError `state-mismatch` where a parameter is missing in the state or has another shape; nothing is
 * changed.
 */
export function checkParameters(state: ModuleState, { tables, matrices }: ModelParameters): void {
  for (const { name, table } of tables) findTensor(state, name, table.rows, table.columns);
  for (const { name, value } of matrices) findTensor(state, name, value.rows, value.columns);
}

export async function restoreParameters(state: ModuleState, { tables, matrices }: ModelParameters): Promise<void> {
  for (const { name, table } of tables) await restoreTable(state, name, table);
  for (const { name, value } of matrices) await restoreMatrix(state, name, value);
}

/**
 * Compares the options that the tensors do not determine: different models may have tensors of the same shapes.
 * @throws ModelError `state-mismatch`, naming both values.
 */
export function checkSameOptions<Options extends object>(
  model: string,
  state: ModuleState,
  options: Options,
  names: readonly (keyof Options & string)[],
): void {
  for (const name of names) {
    const saved = state.configuration[name];
    const own = options[name];
    if (saved === own) continue;
    throw new ModelError(
      'state-mismatch',
      `${model}: '${name}' is ${String(saved)} in the checkpoint, ${String(own)} in the model`,
    );
  }
}

export function countParameters({ tables, matrices }: ModelParameters): number {
  const inTables = tables.reduce((sum, { table }) => sum + table.rows * table.columns, 0);
  return matrices.reduce((sum, { value }) => sum + value.rows * value.columns, inTables);
}
