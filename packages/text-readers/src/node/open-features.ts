/** Opens a file of features, whatever its format, as dense rows. */
import { inflateRawSync } from 'node:zlib';
import { shown } from '@vastmax/checkpoints';
import { sourceOfRows, type CancellationSignal, type DenseRowSource } from '@vastmax/sparse-data';
import { isPipe, isStandardInput, openPlacedFile, readJsonLines, type PlacedFile } from '@vastmax/sparse-data/node';
import { isNpy, readNpyArray } from '../features/npy.ts';
import { isZip, readNpzArrays } from '../features/npz.ts';
import { readSafetensorsArrays } from '../features/safetensors-arrays.ts';
import { badFeatures, chooseArray, type StoredArray } from '../features/stored-arrays.ts';
import { collectVectors, vectorsOfJson, vectorsOfParquet, type VectorRow } from '../features/vectors.ts';
import { isParquetFile, readParquet } from './read-files.ts';

/** Which part of a file of features is opened. */
export interface OpenFeaturesOptions {
  /**
   * Which part of the file has the vectors: an array of .npz, a tensor of safetensors, a column of Parquet, a key of the
   * objects of JSON Lines. Not needed where there is one.
   */
  readonly name?: string;
  /** Of vectors that are collected in memory; default `f32`. */
  readonly precision?: 'f32' | 'f64';
  readonly signal?: CancellationSignal;
  /** Called with how much has been read, and of how much: bytes, or rows. */
  readonly onProgress?: (read: number, total: number) => void;
}

/** Must be disposed: a file may be open. */
export interface FeatureFile extends Disposable {
  /** `inputs` of DenseBatches. */
  readonly inputs: DenseRowSource;
  /** Whether rows stay in the file and are read when they are needed; else they are in memory. */
  readonly isInFile: boolean;
}

/**
 * Opens .npy, .npz and safetensors, by their first bytes, whose rows are then read at their places; or Parquet and
 * JSON Lines (plain or compressed, or standard input), whose vectors are collected in memory. `writeNpy` makes a .npy
 * file of those that do not fit.
 * @throws SparseDataError `bad-features` with file, place and what would be right; `missing-file` and the like; as
 * readParquet and readJsonLines.
 */
export async function openFeatures(path: string, options: OpenFeaturesOptions = {}): Promise<FeatureFile> {
  const isStream = isStandardInput(path) || (await isPipe(path));
  if (isStream || (await isParquetFile(path))) return await collected(path, options);
  const file = openPlacedFile(path);
  try {
    const arrays = await arraysOf(file);
    if (arrays !== undefined) {
      const inputs = chooseArray(path, arrays, options.name).rows();
      return {
        inputs,
        isInFile: true,
        [Symbol.dispose]: () => {
          file[Symbol.dispose]();
        },
      };
    }
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
  file[Symbol.dispose]();
  return await collected(path, options);
}

/** The vectors of Parquet or JSON Lines, one after the other. Throws on iteration, as openFeatures. */
export async function* readVectors(
  path: string,
  { name, signal, onProgress }: Omit<OpenFeaturesOptions, 'precision'> = {},
): AsyncGenerator<VectorRow, void, undefined> {
  const reading = { ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onProgress }) };
  const isStream = isStandardInput(path) || (await isPipe(path));
  if (isStream || !(await isParquetFile(path))) {
    yield* vectorsOfJson(readJsonLines(path, reading), { name: path, ...(name === undefined ? {} : { key: name }) });
    return;
  }
  if (name === undefined) throw badFeatures(path, 'which column of a Parquet file has the vectors is to be said');
  yield* vectorsOfParquet(readParquet(path, { ...reading, columns: [name] }), name, path);
}

async function collected(path: string, options: OpenFeaturesOptions): Promise<FeatureFile> {
  const { precision = 'f32' } = options;
  const rows = await collectVectors(readVectors(path, options), { name: path, precision });
  return { inputs: sourceOfRows(rows), isInFile: false, [Symbol.dispose]: () => undefined };
}

/** Undefined for a file that is none of arrays. */
async function arraysOf(file: PlacedFile): Promise<readonly StoredArray[] | undefined> {
  const head = new Uint8Array(Math.min(9, file.bytes));
  file.read(head, 0);
  if (isNpy(head)) return [readNpyArray(file)];
  if (isZip(head)) return readNpzArrays(file, { inflateRaw });
  // The length of a header in eight bytes, and its brace.
  const isSafetensors = head[8] === 0x7b && head[6] === 0 && head[7] === 0;
  if (isSafetensors) return await readSafetensorsArrays(file);
  if (/\.(npy|npz|safetensors)$/i.test(file.path))
    throw badFeatures(
      file.path,
      `it begins with ${shown(String.fromCharCode(...head))}, which is not of its extension`,
    );
  return undefined;
}

function inflateRaw(bytes: Uint8Array, limit: number): Uint8Array {
  return inflateRawSync(bytes, { maxOutputLength: Math.max(1, limit) });
}
