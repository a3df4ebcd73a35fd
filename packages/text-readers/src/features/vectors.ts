// Vectors that come one after the other, from Parquet, JSON Lines or anywhere, checked and collected as dense rows.

import { shown } from '@vastmax/checkpoints';
import {
  createDenseRows,
  SparseDataError,
  type DenseRows,
  type DenseValues,
  type NamedInput,
} from '@vastmax/sparse-data';
import type { JsonLine } from '@vastmax/sparse-data/records';
import type { ParquetRow } from '../parquet-rows.ts';
import { badFeatures } from './stored-arrays.ts';

/** The vector of one example; it may be reused for the next. */
export interface VectorRow {
  /** Where it is in its file, for messages: `line 3`. */
  readonly place: string;
  readonly vector: ArrayLike<number>;
}

/**
 * The vectors of JSON Lines: arrays of numbers, or objects with one under a key.
 * @throws SparseDataError on iteration: `bad-features` with name, line and what is there.
 */
export async function* vectorsOfJson(
  lines: AsyncIterable<JsonLine>,
  { name = 'input', key }: NamedInput & { readonly key?: string } = {},
): AsyncGenerator<VectorRow, void, undefined> {
  for await (const { line, value } of lines) {
    const place = `line ${line}`;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isObject && key === undefined)
      throw badFeatures(
        name,
        `${place} is an object of ${Object.keys(value).slice(0, 10).map(shown).join(', ')}; say which of them is the vector`,
      );
    if (!isObject && key !== undefined)
      throw badFeatures(name, `${place} is ${shown(value)}; an object with ${shown(key)} is needed`);
    const found = isObject
      ? Object.hasOwn(value, key ?? '')
        ? (value as Record<string, unknown>)[key ?? '']
        : undefined
      : value;
    yield { place, vector: numbersOf(found, name, key === undefined ? place : `${place}: ${shown(key)}`) };
  }
}

/**
 * The vectors of a column of lists.
 * @throws SparseDataError on iteration: `bad-features` with name, row and what is there.
 */
export async function* vectorsOfParquet(
  rows: AsyncIterable<ParquetRow>,
  column: string,
  name = 'input',
): AsyncGenerator<VectorRow, void, undefined> {
  for await (const { row, values } of rows) {
    const place = `row ${row}`;
    yield { place, vector: numbersOf(values[column], name, `${place}: ${shown(column)}`) };
  }
}

function numbersOf(value: unknown, name: string, place: string): ArrayLike<number> {
  if (value instanceof Float32Array || value instanceof Float64Array) return value;
  if (!Array.isArray(value))
    throw badFeatures(
      name,
      `${place} is ${value === undefined ? 'missing' : shown(value)}; an array of numbers is needed`,
    );
  const wrong = value.findIndex((each) => typeof each !== 'number' && typeof each !== 'bigint');
  if (wrong !== -1)
    throw badFeatures(
      name,
      `${place}: number ${wrong + 1} is ${shown((value as unknown[])[wrong])}; a number is needed`,
    );
  return typeof value[0] === 'bigint' ? value.map(Number) : (value as number[]);
}

/** How vectors are kept in memory. */
export interface CollectVectorsOptions extends NamedInput {
  /** Default `f32`. */
  readonly precision?: 'f32' | 'f64';
}

/**
 * All vectors in memory.
 * @throws SparseDataError `bad-features` for one that is not as long as those before it, or none at all,
 * `non-finite-value` for a number that is not finite in the precision, with its place.
 */
export async function collectVectors(
  vectors: AsyncIterable<VectorRow>,
  { name = 'input', precision = 'f32' }: CollectVectorsOptions = {},
): Promise<DenseRows> {
  const create = (length: number): DenseValues =>
    precision === 'f64' ? new Float64Array(length) : new Float32Array(length);
  let values = create(0);
  let width = 0;
  let rows = 0;
  for await (const { place, vector } of vectors) {
    width = checkWidth(name, place, vector.length, width);
    const start = rows * width;
    if (start + width > values.length) {
      const larger = create(Math.max(1024 * width, 2 * values.length));
      larger.set(values);
      values = larger;
    }
    for (let i = 0; i < width; i++) {
      values[start + i] = vector[i]!;
      if (!Number.isFinite(values[start + i]))
        throw new SparseDataError(
          'non-finite-value',
          `${name}: ${place}: number ${i + 1} is ${vector[i]!}; one that is finite in ${precision} is needed`,
        );
    }
    rows++;
  }
  if (rows === 0) throw badFeatures(name, 'there are no vectors; at least 1 is needed');
  return createDenseRows(rows, width, values.slice(0, rows * width));
}

/** @returns the width of all vectors. */
export function checkWidth(name: string, place: string, length: number, width: number): number {
  if (length === 0) throw badFeatures(name, `${place} has no numbers; at least 1 is needed`);
  if (width !== 0 && length !== width)
    throw badFeatures(name, `${place} has ${length} numbers, those before it have ${width}; they must be equal`);
  return length;
}
