// The two formats of word2vec (Mikolov et al., https://code.google.com/archive/p/word2vec, distance.c), which most
// programs for word vectors read: a line `WORDS WIDTH`, then for each word its text, a space, and its numbers, in
// decimal with spaces between or as 32 bits each, little-endian, and a line feed. A word cannot have white space in it:
// there is no way to quote it.

import { basename, dirname } from 'node:path';
import {
  bigEndianError,
  CheckpointError,
  IS_LITTLE_ENDIAN,
  narrowToHalf,
  shown,
  storeFile,
  widenHalf,
  type Append,
  type FileDigest,
} from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import type { TensorSource } from '@vastmax/linalg-core/state';
import type { CancellationSignal } from '@vastmax/sparse-data';
import { checkWords, vectorBlocks, type VectorBlock } from './word-vector-blocks.ts';

/** The two formats of the word2vec program. */
export type Word2vecFormat = 'text' | 'binary';

/** The format, and how to stop and to see how much is written. */
export interface Word2vecOptions {
  readonly format: Word2vecFormat;
  /** Round to 16 bits, which takes five digits; `text` only. */
  readonly half?: boolean;
  readonly signal?: CancellationSignal;
  /** Called after each block; an error that it throws ends the writing. */
  readonly onProgress?: (words: number, total: number) => void;
}

/**
 * Writes a vector for each word, in blocks of about a megabyte. `text` has as many digits as are needed to read back
 * the same number of the tensor's precision (9 for f32, 17 for f64, 5 for `half`); `binary` rounds to 32 bits. An
 * existing file is replaced at the end, atomically, and stays unchanged if an error is thrown.
 * @param vectors a row for each word.
 * @throws CheckpointError `bad-argument` (a word that the format cannot hold, counts that differ), `non-finite` (with
 * word and column), `write-failed` (with the system's error as cause)
 */
export async function writeWord2vec(
  path: string,
  words: readonly string[],
  vectors: TensorSource,
  options: Word2vecOptions,
): Promise<FileDigest> {
  const { format, half = false, signal, onProgress } = options;
  checkWords('writeWord2vec', words, vectors);
  if (half && format === 'binary')
    throw new CheckpointError(
      'bad-argument',
      `writeWord2vec: half is true and format is binary, which stores 32 bits; leave half out, or write text or safetensors`,
    );
  if (format === 'binary' && !IS_LITTLE_ENDIAN) throw bigEndianError();
  const encode = format === 'text' ? encodeLines : encodeRecords;
  const fill = async (append: Append): Promise<void> => {
    await append(Buffer.from(`${vectors.rows} ${vectors.columns}\n`));
    for await (const block of vectorBlocks(vectors, signal)) {
      await append(encode(block, words, vectors, half));
      onProgress?.(block.first + block.count, vectors.rows);
    }
  };
  return storeFile(createFileStorage(dirname(path)), basename(path), fill, 'writeWord2vec');
}

type Encode = (block: VectorBlock, words: readonly string[], vectors: TensorSource, half: boolean) => Uint8Array;

const encodeLines: Encode = ({ first, count, values }, words, { columns, precision }, half) => {
  const rounded = half ? widenHalf(narrowToHalf(values)) : values;
  const lines: string[] = [];
  for (let row = 0; row < count; row++) {
    const word = checkedWord(words, first + row);
    let line = word;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      const value = rounded[i]!;
      // x - x is 0 for finite x only.
      if (value - value !== 0) throw nonFinite(word, i - row * columns, values[i]!, half);
      line += half
        ? ` ${Number(value.toPrecision(5))}`
        : precision === 'f32'
          ? ` ${Number(value.toPrecision(9))}`
          : ` ${value}`;
    }
    lines.push(line, '\n');
  }
  return Buffer.from(lines.join(''));
};

const encodeRecords: Encode = ({ first, count, values }, words, { columns }) => {
  const single = values instanceof Float32Array ? values : Float32Array.from(values);
  const records: Uint8Array[] = [];
  const lineFeed = Buffer.from('\n');
  for (let row = 0; row < count; row++) {
    const word = checkedWord(words, first + row);
    const vector = single.subarray(row * columns, (row + 1) * columns);
    const at = vector.findIndex((value) => value - value !== 0);
    if (at !== -1) throw nonFinite(word, at, values[row * columns + at]!, false);
    records.push(
      Buffer.from(`${word} `),
      new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
      lineFeed,
    );
  }
  return Buffer.concat(records);
};

function checkedWord(words: readonly string[], at: number): string {
  const word = words[at] ?? '';
  // Unlike \s this does not count U+FEFF, which WikiText-2 has as a word.
  if (!/^[^\p{White_Space}\p{Surrogate}]+$/u.test(word)) {
    throw new CheckpointError(
      'bad-argument',
      `writeWord2vec: word ${at} is ${shown(word)}, which is empty or has white space or half a surrogate pair in it; word2vec cannot hold it: write safetensors`,
    );
  }
  return word;
}

function nonFinite(word: string, column: number, value: number, half: boolean): CheckpointError {
  const needed =
    half && Number.isFinite(value)
      ? '16 bits hold at most 65504: write it without half'
      : 'only numbers that are finite with 32 bits are written';
  return new CheckpointError(
    'non-finite',
    `writeWord2vec: the vector of ${shown(word)} has ${value} at column ${column}; ${needed}`,
  );
}
