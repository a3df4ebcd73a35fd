import { CheckpointError } from '@vastmax/checkpoints';
import { writeRows, type RowTable } from '@vastmax/linalg-core';
import type { Vocabulary } from '@vastmax/sparse-data';
import { readWord2vecBinary } from './read-word2vec-binary.ts';
import { detectWord2vecFormat } from './word2vec-format.ts';
import { readWord2vecText, type ReadWord2vecOptions } from './read-word2vec-text.ts';
import type { Word2vecFormat } from './write-word2vec.ts';

/** The format of the file, and the deviation of the vectors of words that it lacks. */
export interface InitialVectorsOptions extends Omit<ReadWord2vecOptions, 'onNotUtf8'> {
  /** As the first bytes of the file show, unless given; of standard input `text`. */
  readonly format?: Word2vecFormat;
  /**
   * Standard deviation that the numbers are scaled to, 0.1 for instance: the value that a body's first layer expects
   * (its embeddingScale). Not scaled unless given.
   */
  readonly standardDeviation?: number;
}

/** How many words got a vector, and how many lines were read. */
export interface InitialVectors {
  /** Words of the vocabulary that the file has. */
  readonly found: number;
  /** Words of the file. */
  readonly read: number;
  /** How many of them were left out because they are not UTF-8. */
  readonly notUtf8: number;
}

/**
 * Copies the vectors of a word2vec file to the rows of the words that are in the vocabulary. Rows of other words are
 * unchanged; if the file has a word twice, the first counts; a word that is not UTF-8 is left out and counted. The file is read once, and may be larger than memory: the
 * vectors that are found are kept until the whole file has been read, so the table is unchanged if an error is thrown.
 * @param table a row for each word, perhaps others after them, and a column for each number of a vector.
 * @throws CheckpointError `bad-argument` when the file's vectors have another width or the table fewer rows
 * than words; else as readWord2vecText and readWord2vecBinary
 */
export async function loadInitialVectors(
  path: string,
  vocabulary: Vocabulary,
  table: RowTable,
  options: InitialVectorsOptions = {},
): Promise<InitialVectors> {
  const { standardDeviation } = options;
  const { columns: width } = table;
  if (table.rows < vocabulary.size)
    throw new CheckpointError(
      'bad-argument',
      `loadInitialVectors: the table has ${table.rows} rows, the vocabulary ${vocabulary.size} words; each needs one`,
    );
  if (standardDeviation !== undefined && !(standardDeviation > 0 && Number.isFinite(standardDeviation))) {
    throw new CheckpointError(
      'bad-argument',
      `loadInitialVectors: standardDeviation is ${standardDeviation}; a finite number above 0 is needed`,
    );
  }
  const vectors = new Map<number, Float32Array>();
  const format = options.format ?? (await detectWord2vecFormat(path));
  let read = 0;
  let notUtf8 = 0;
  const onNotUtf8 = (): void => {
    read++;
    notUtf8++;
  };
  let sum = 0;
  let squares = 0;
  const readVectors = format === 'binary' ? readWord2vecBinary : readWord2vecText;
  for await (const { word, vector } of readVectors(path, { ...options, onNotUtf8 })) {
    read++;
    if (vector.length !== width)
      throw new CheckpointError(
        'bad-argument',
        `loadInitialVectors: ${path} has vectors of ${vector.length} numbers, the table has ${width} columns; train with embeddings of ${vector.length}`,
      );
    const id = vocabulary.has(word) ? vocabulary.idOf(word) : undefined;
    if (id === undefined || vectors.has(id)) continue;
    vectors.set(id, vector.slice());
    for (const value of vector) {
      sum += value;
      squares += value * value;
    }
  }
  const numbers = vectors.size * width;
  const deviation = Math.sqrt(Math.max(0, squares / numbers - (sum / numbers) ** 2));
  const scale = standardDeviation === undefined || !(deviation > 0) ? 1 : standardDeviation / deviation;
  for (const [id, vector] of vectors) writeRows(scale === 1 ? vector : vector.map((value) => value * scale), id, table);
  return { found: vectors.size, read, notUtf8 };
}
