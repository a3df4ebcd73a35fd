/** Files of vectors, with the names that word2vec files give them. */
import type { Precision } from '@vastmax/linalg-core';
import { detectWord2vecFormat, readWord2vecBinary, readWord2vecText } from '@vastmax/lm-models/node';
import { sourceOfRows, type DenseRowSource } from '@vastmax/sparse-data';
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

interface OpenVectorsOptions {
  readonly array?: string | undefined;
  readonly precision: Precision;
  readonly signal: AbortSignal;
}

/**
 * @throws SparseDataError for a file that is none of vectors, CheckpointError for a damaged word2vec file.
 */
export async function openVectors(path: string, { array, precision, signal }: OpenVectorsOptions): Promise<Vectors> {
  using progress = createReadingProgress('vectors');
  const { onProgress } = progress;
  if (!/\.(?:vec|bin|w2v|glove|txt)(?:\.gz|\.br)?$/i.test(path)) {
    const name = array === undefined ? {} : { name: array };
    return await openFeatures(path, { ...name, precision, signal, onProgress });
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
