import { CheckpointError, shown } from '@vastmax/checkpoints';
import { readLines } from '@vastmax/sparse-data/node';
import type { CancellationSignal } from '@vastmax/sparse-data';

/** A word and its vector. */
export interface WordVector {
  readonly word: string;
  /** Valid until the next vector. */
  readonly vector: Float32Array;
}

/** How to stop reading, to see how much is read, and to learn of lines that are not UTF-8. */
export interface ReadWord2vecOptions {
  readonly signal?: CancellationSignal;
  /** Called with the bytes read so far and the size of the file: Infinity for standard input. */
  readonly onProgress?: (bytes: number, fileBytes: number) => void;
  /**
   * If given, a word that is not UTF-8 is left out with its vector, and this is called with its line or number: some
   * programs cut long words in the middle of a character. Else it is an error.
   */
  readonly onNotUtf8?: (number: number) => void;
}

/**
 * The vectors of a word2vec text file, or of one without its first line, as GloVe writes them; compressed files are
 * decompressed as by readLines, `-` is standard input. A word may have spaces in it: numbers are counted from the end of the line.
 * Holds one line.
 * @throws CheckpointError on iteration: `invalid-line` with file, line, what is there and what is needed; `truncated`
 * when there are fewer words than the first line says. SparseDataError as readLines.
 */
export async function* readWord2vecText(
  path: string,
  options: ReadWord2vecOptions = {},
): AsyncGenerator<WordVector, void, undefined> {
  let line = 0;
  let words = 0;
  let announced = Infinity;
  let width: number | undefined;
  let vector = new Float32Array(0);
  const fail = (problem: string): never => {
    throw new CheckpointError('invalid-line', `word2vec: ${path}: line ${line}: ${problem}`);
  };
  const { onNotUtf8 } = options;
  const onSkippedLine = (number: number): void => {
    line++;
    words++;
    onNotUtf8?.(number);
  };
  for await (const text of readLines(path, {
    ...options,
    ...(onNotUtf8 === undefined ? {} : { onNotUtf8: onSkippedLine }),
  })) {
    line++;
    const header = line === 1 ? /^(\d{1,15}) (\d{1,15})\s*$/.exec(text) : null;
    if (header !== null) {
      [announced, width] = [Number(header[1]), Number(header[2])];
      continue;
    }
    const parts = text.trimEnd().split(' ');
    width ??= parts.length - 1;
    if (width < 1 || parts.length <= width)
      return fail(
        `there is ${shown(text)}, with ${parts.length - 1} numbers after a word; ${width < 1 ? 'at least 1 is' : `${width} are`} needed`,
      );
    if (++words > announced)
      return fail(`there is another word, ${shown(parts[0])}; line 1 says there are ${announced}`);
    // Allocated only when a line has shown that it has this many numbers.
    if (vector.length !== width) vector = new Float32Array(width);
    const numbersStart = parts.length - width;
    for (let i = 0; i < width; i++) {
      const digits = parts[numbersStart + i]!;
      const value = Number(digits);
      vector[i] = value;
      if (digits === '' || !Number.isFinite(vector[i]!))
        return fail(
          `number ${i + 1} of ${shown(parts[0])} is ${shown(digits)}; one that is finite with 32 bits is needed`,
        );
    }
    yield { word: parts.slice(0, numbersStart).join(' '), vector };
  }
  if (words < announced && announced !== Infinity) {
    throw new CheckpointError(
      'truncated',
      `word2vec: ${path} is truncated: line 1 says there are ${announced} words, there are ${words}`,
    );
  }
}
