// The binary file is not trusted: the sizes in its first line are compared with the size of the file before anything of
// that size is allocated (of a compressed file, whose size says nothing, a vector is allocated once its bytes are
// there), and the length of a word is limited, so that the memory used is one block whatever the bytes are.

import { isUtf8 } from 'node:buffer';
import { bigEndianError, CheckpointError, IS_LITTLE_ENDIAN, shown } from '@vastmax/checkpoints';
import { openBytes } from '@vastmax/sparse-data/node';
import type { ReadWord2vecOptions, WordVector } from './read-word2vec-text.ts';

const MAXIMUM_WORD_BYTES = 4096;
const MAXIMUM_HEADER_BYTES = 40;
/** Of vectors in a file whose size is not known. */
const MAXIMUM_UNCHECKED_WIDTH = 2 ** 22;
const [SPACE, LINE_FEED] = [0x20, 0x0a];

/**
 * The vectors of a word2vec binary file, which may be compressed (as readLines has it); `-` is standard input. Holds a
 * chunk of some 256 KiB, or one vector where that is larger.
 * @throws CheckpointError on iteration: `invalid-header` with what the first line is, `truncated` with both sizes,
 * `invalid-line` with the number of the word, `non-finite`; SparseDataError `missing-file`, `unreadable-file`,
 * `corrupt-compression`
 */
export async function* readWord2vecBinary(
  path: string,
  options: ReadWord2vecOptions = {},
): AsyncGenerator<WordVector, void, undefined> {
  const { signal, onProgress, onNotUtf8 } = options;
  if (!IS_LITTLE_ENDIAN) throw bigEndianError();
  signal?.throwIfAborted();
  const file = await openBytes(path);
  try {
    const bytes = new ByteQueue(file.chunks, () => {
      signal?.throwIfAborted();
      onProgress?.(file.bytesRead() ?? 0, file.fileBytes);
    });
    const { words, width } = await readHeader(bytes, path, file.isPlain ? file.fileBytes : Infinity);
    const vectorBytes = 4 * width;
    let vector: Float32Array | undefined;
    for (let number = 1; number <= words; number++) {
      const fail = (problem: string): never => {
        throw new CheckpointError(
          'invalid-line',
          `word2vec: ${path}: word ${number} of ${words}, at byte ${bytes.position}, ${problem}`,
        );
      };
      if ((await bytes.ahead(1))[0] === LINE_FEED) bytes.skip(1);
      let start = await bytes.ahead(1);
      let space = start.indexOf(SPACE);
      if (space === -1 && start.length < MAXIMUM_WORD_BYTES) {
        start = await bytes.ahead(MAXIMUM_WORD_BYTES);
        space = start.indexOf(SPACE);
      }
      if (space < 1 || space >= MAXIMUM_WORD_BYTES)
        return fail(
          space === 0
            ? 'is empty'
            : `has no space after its text within ${Math.min(start.length, MAXIMUM_WORD_BYTES)} bytes; at most ${MAXIMUM_WORD_BYTES} are allowed`,
        );
      // A copy, since the block is dropped while the vector is read.
      const text = Buffer.from(start.subarray(0, space));
      if (!isUtf8(text) && onNotUtf8 === undefined) return fail('is not UTF-8; convert the file');
      const numbers = await bytes.ahead(space + 1 + vectorBytes);
      if (numbers.length < space + 1 + vectorBytes)
        throw new CheckpointError(
          'truncated',
          `word2vec: ${path} is truncated: word ${number} of ${words} needs ${vectorBytes} bytes of numbers, ${numbers.length - space - 1} are left`,
        );
      vector ??= new Float32Array(width);
      new Uint8Array(vector.buffer).set(numbers.subarray(space + 1, space + 1 + vectorBytes));
      bytes.skip(space + 1 + vectorBytes);
      if (!isUtf8(text)) {
        onNotUtf8?.(number);
        continue;
      }
      const word = text.toString('utf8');
      const bad = vector.findIndex((value) => value - value !== 0);
      if (bad !== -1)
        throw new CheckpointError(
          'non-finite',
          `word2vec: ${path}: number ${bad + 1} of word ${number}, ${shown(word)}, is ${vector[bad]}; finite ones are needed`,
        );
      yield { word, vector };
    }
    const rest = (await bytes.ahead(2)).length;
    if (rest > 1)
      throw new CheckpointError(
        'invalid-header',
        `word2vec: ${path}: ${file.isPlain && file.fileBytes < Infinity ? file.fileBytes - bytes.position : 'more'} bytes follow the last of ${words} words of width ${width}`,
      );
  } finally {
    file.close();
  }
}

/** A stream of bytes that is looked at and then dropped from its start. */
class ByteQueue {
  readonly #chunks: AsyncGenerator<Uint8Array, void, undefined>;
  readonly #onChunk: () => void;
  #held: Buffer = Buffer.alloc(0);
  #isAtEnd = false;
  /** Offset in the stream of the first byte that is held. */
  position = 0;

  constructor(chunks: AsyncGenerator<Uint8Array, void, undefined>, onChunk: () => void) {
    this.#chunks = chunks;
    this.#onChunk = onChunk;
  }

  /** The next bytes, at least `count` of them, fewer at the end. Valid until the next call. */
  async ahead(count: number): Promise<Buffer> {
    if (this.#held.length >= count || this.#isAtEnd) return this.#held;
    const pieces: Uint8Array[] = [this.#held];
    for (let length = this.#held.length; length < count;) {
      const { value } = await this.#chunks.next();
      if (value === undefined) {
        this.#isAtEnd = true;
        break;
      }
      this.#onChunk();
      pieces.push(value);
      length += value.length;
    }
    this.#held = Buffer.concat(pieces);
    return this.#held;
  }

  skip(count: number): void {
    this.#held = this.#held.subarray(count);
    this.position += count;
  }
}

interface Header {
  readonly words: number;
  readonly width: number;
}

async function readHeader(bytes: ByteQueue, path: string, fileBytes: number): Promise<Header> {
  const start = (await bytes.ahead(MAXIMUM_HEADER_BYTES)).subarray(0, MAXIMUM_HEADER_BYTES);
  const line = start.subarray(0, Math.max(0, start.indexOf(LINE_FEED))).toString('latin1');
  const [, words, width] = (/^(\d{1,15}) (\d{1,15})\r?$/.exec(line) ?? []).map(Number);
  if (words === undefined || width === undefined || width < 1) {
    throw new CheckpointError(
      'invalid-header',
      `word2vec: ${path} begins with ${shown(start.toString('latin1'))}; a line of the number of words and the width of the vectors is needed: is it word2vec binary?`,
    );
  }
  const end = line.length + 1;
  // A word has at least a byte, and a space.
  const needed = end + words * (4 * width + 2);
  if (needed > fileBytes)
    throw new CheckpointError(
      'truncated',
      `word2vec: ${path} is truncated: ${words} words of width ${width} need at least ${needed} bytes, the file has ${fileBytes}`,
    );
  if (fileBytes === Infinity && width > MAXIMUM_UNCHECKED_WIDTH)
    throw new CheckpointError(
      'invalid-header',
      `word2vec: ${path}: line 1 says that vectors have ${width} numbers; of a compressed file or a pipe at most ${MAXIMUM_UNCHECKED_WIDTH} are read`,
    );
  bytes.skip(end);
  return { words, width: words === 0 ? 1 : width };
}
