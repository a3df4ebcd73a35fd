/** Files of vectors, with the names that word2vec files give them. */
import type { Precision } from '@vastmax/linalg-core';
import { detectWord2vecFormat, readWord2vecBinary, readWord2vecText } from '@vastmax/lm-models/node';
import { sourceOfRows, SparseDataError, type DenseRowSource } from '@vastmax/sparse-data';
import { openFeatures } from '@vastmax/text-readers/node';
import { collectVectors, type VectorRow } from '@vastmax/text-readers';
import { createReadingProgress } from '../labels/reading-progress.ts';
import { UsageError } from '../terminal/errors.ts';

/** Must be disposed: a file may be open. */
export interface Vectors extends Disposable {
  readonly inputs: DenseRowSource;
  /** Whether they are read from the file when they are needed. */
  readonly isInFile: boolean;
  /** Of a word2vec file, the name of each. */
  readonly names?: readonly string[];
}

/** Whether files of such a name have one array, without a name. */
export function hasOneArray(path: string): boolean {
  return isWord2vec(path) || /\.npy$/i.test(path);
}

function isWord2vec(path: string): boolean {
  return /\.(?:vec|bin|w2v|glove|txt)(?:\.gz|\.br)?$/i.test(path);
}

interface OpenVectorsOptions {
  readonly array?: string | undefined;
  readonly precision: Precision;
  readonly signal: AbortSignal;
}

/**
 * Vectors whose numbers are finite in the precision, which is checked when they are copied.
 * @throws SparseDataError for a file that is none of vectors, CheckpointError for a damaged word2vec file.
 */
export async function openVectors(path: string, { array, precision, signal }: OpenVectorsOptions): Promise<Vectors> {
  using progress = createReadingProgress('vectors');
  const { onProgress } = progress;
  if (!isWord2vec(path)) {
    const name = array === undefined ? {} : { name: array };
    const file = await openFeatures(path, { ...name, precision, signal, onProgress });
    return {
      inputs: finiteIn(precision, path, file.inputs),
      isInFile: file.isInFile,
      [Symbol.dispose]: () => {
        file[Symbol.dispose]();
      },
    };
  }
  if (array !== undefined)
    throw new UsageError(`--features-array ${array}: a word2vec file, as ${path} is by its name, has no arrays`);
  const readWords = (await detectWord2vecFormat(path)) === 'binary' ? readWord2vecBinary : readWord2vecText;
  const names: string[] = [];
  const vectors = async function* (): AsyncGenerator<VectorRow, void, undefined> {
    for await (const { word, vector } of readWords(path, { signal, onProgress })) {
      names.push(word);
      yield { place: `word ${names.length}`, vector };
    }
  };
  const inputs = sourceOfRows(await collectVectors(vectors(), { name: path, precision }));
  return { inputs, isInFile: false, names, [Symbol.dispose]: () => undefined };
}

/** From here on a number is infinite when it is rounded to f32. */
const tooLargeForFloat32 = 2 ** 128 - 2 ** 103;

/** Copying throws SparseDataError `non-finite-value` with the row, from 1, and the number as it is stored. */
function finiteIn(precision: Precision, path: string, source: DenseRowSource): DenseRowSource {
  const { columns } = source;
  const tooLarge = precision === 'f64' ? Infinity : tooLargeForFloat32;
  return {
    ...source,
    copyRows: (rows, out) => {
      source.copyRows(rows, out);
      const end = rows.length * columns;
      let at = 0;
      while (at < end && Math.abs(out[at]!) < tooLarge) at++;
      if (at === end) return;
      const row = rows[Math.floor(at / columns)]!;
      const stored = new Float64Array(columns);
      source.copyRows(Int32Array.of(row), stored);
      throw new SparseDataError(
        'non-finite-value',
        `${path}: row ${row + 1}: number ${(at % columns) + 1} is ${stored[at % columns]!}; one that is finite in ${precision} is needed`,
      );
    },
  };
}
