// The binary file is not trusted: the sizes in its first line are compared with the size of the file before anything of
// that size is allocated, and the length of a word is limited, so that the memory used is one block whatever the bytes
// are.

import { isUtf8 } from 'node:buffer';
import { basename, dirname } from 'node:path';
import {
  bigEndianError,
  BLOCK_BYTES,
  CheckpointError,
  IS_LITTLE_ENDIAN,
  type RandomAccessReader,
  shown,
} from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import type { ReadWord2vecOptions, WordVector } from './read-word2vec-text.ts';

const MAXIMUM_WORD_BYTES = 4096;
const [SPACE, LINE_FEED] = [0x20, 0x0a];

/**
 * The vectors of a word2vec binary file. Holds a block of 4 MiB, or one vector where that is larger.
 * @throws CheckpointError on iteration: `missing`, `read-failed`, `invalid-header` with what the first line is,
 * `truncated` with both sizes, `invalid-line` with the number of the word, `non-finite`
 */
export async function* readWord2vecBinary(
  path: string,
  options: ReadWord2vecOptions = {},
): AsyncGenerator<WordVector, void, undefined> {
  const { signal, onProgress } = options;
  if (!IS_LITTLE_ENDIAN) throw bigEndianError();
  const file = await createFileStorage(dirname(path)).open(basename(path));
  try {
    const { words, width, end: headerEnd } = await readHeader(file);
    const vectorBytes = 4 * width;
    const block = Buffer.alloc(Math.min(file.bytes, Math.max(BLOCK_BYTES, vectorBytes + MAXIMUM_WORD_BYTES + 2)));
    const vector = new Float32Array(width);
    const vectorAsBytes = new Uint8Array(vector.buffer);
    let position = headerEnd;
    let held = 0;
    let at = 0;
    const fail = (number: number, problem: string): never => {
      throw new CheckpointError(
        'invalid-line',
        `word2vec: ${path}: word ${number} of ${words}, at byte ${position - held + at}, ${problem}`,
      );
    };
    for (let number = 1; number <= words; number++) {
      if (held - at < vectorBytes + MAXIMUM_WORD_BYTES + 2 && position < file.bytes) {
        signal?.throwIfAborted();
        block.copyWithin(0, at, held);
        held -= at;
        at = 0;
        const more = Math.min(block.length - held, file.bytes - position);
        await file.read(block.subarray(held, held + more), position);
        held += more;
        position += more;
        onProgress?.(position, file.bytes);
      }
      if (block[at] === LINE_FEED && at < held) at++;
      const space = block.subarray(at, Math.min(held, at + MAXIMUM_WORD_BYTES)).indexOf(SPACE);
      if (space < 1)
        return fail(
          number,
          space === 0
            ? 'is empty'
            : `has no space after its text within ${Math.min(held - at, MAXIMUM_WORD_BYTES)} bytes; at most ${MAXIMUM_WORD_BYTES} are allowed`,
        );
      const text = block.subarray(at, at + space);
      if (!isUtf8(text)) return fail(number, 'is not UTF-8; convert the file');
      const numbers = at + space + 1;
      if (held - numbers < vectorBytes)
        throw new CheckpointError(
          'truncated',
          `word2vec: ${path} is truncated: word ${number} of ${words} needs ${vectorBytes} bytes of numbers, ${held - numbers} are left`,
        );
      vectorAsBytes.set(block.subarray(numbers, numbers + vectorBytes));
      const word = text.toString('utf8');
      const bad = vector.findIndex((value) => value - value !== 0);
      if (bad !== -1)
        throw new CheckpointError(
          'non-finite',
          `word2vec: ${path}: number ${bad + 1} of word ${number}, ${shown(word)}, is ${vector[bad]}; finite ones are needed`,
        );
      at = numbers + vectorBytes;
      yield { word, vector };
    }
    const rest = file.bytes - (position - held + at);
    if (rest > 1)
      throw new CheckpointError(
        'invalid-header',
        `word2vec: ${path}: ${rest} bytes follow the last of ${words} words of width ${width}`,
      );
  } finally {
    await file.close();
  }
}

interface Header {
  readonly words: number;
  readonly width: number;
  /** End of the header line. */
  readonly end: number;
}

async function readHeader(file: RandomAccessReader): Promise<Header> {
  const start = Buffer.alloc(Math.min(40, file.bytes));
  await file.read(start, 0);
  const line = start.subarray(0, Math.max(0, start.indexOf(LINE_FEED))).toString('latin1');
  const [, words, width] = (/^(\d{1,15}) (\d{1,15})\r?$/.exec(line) ?? []).map(Number);
  if (words === undefined || width === undefined || width < 1) {
    throw new CheckpointError(
      'invalid-header',
      `word2vec: ${file.path} begins with ${shown(start.toString('latin1'))}; a line of the number of words and the width of the vectors is needed: is it word2vec binary?`,
    );
  }
  const end = line.length + 1;
  // A word has at least a byte, and a space.
  const needed = end + words * (4 * width + 2);
  if (needed > file.bytes)
    throw new CheckpointError(
      'truncated',
      `word2vec: ${file.path} is truncated: ${words} words of width ${width} need at least ${needed} bytes, the file has ${file.bytes}`,
    );
  return { words, width: words === 0 ? 1 : width, end };
}
