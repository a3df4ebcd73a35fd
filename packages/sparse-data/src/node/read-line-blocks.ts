// A text file as blocks of whole lines, still bytes: what a parser of bytes reads a few times as fast as strings.

import { Buffer, isUtf8 } from 'node:buffer';
import { SparseDataError } from '../errors.ts';
import { byteOrderMarkLength, LINE_FEED } from '../text/byte-lines.ts';
import { inputName, openBytes } from './open-bytes.ts';
import { checkIsText, findInvalidUtf8, type ReadLinesOptions } from './read-lines.ts';

/** How to stop and to see how much is read, and limits. */
export type ReadLineBlocksOptions = Pick<ReadLinesOptions, 'signal' | 'onProgress' | 'maximumLineBytes' | 'chunkBytes'>;

/**
 * The bytes of a UTF-8 text file, plain or compressed as for readLines, in blocks that end at the end of a line. A byte
 * order mark at the start is removed. A block is valid until the next one.
 * @throws SparseDataError on iteration, as readLines.
 */
export async function* readLineBlocks(
  path: string,
  options: ReadLineBlocksOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, onProgress, maximumLineBytes = 2 ** 26, chunkBytes = 2 ** 20 } = options;
  signal?.throwIfAborted();
  const name = inputName(path);
  const opened = await openBytes(path, { chunkBytes, signal });
  let lines = 0;
  let bytes = 0;
  const checked = (block: Buffer): Uint8Array => {
    if (!isUtf8(block)) throw notUtf8(name, block, lines, bytes);
    const mark = bytes === 0 ? byteOrderMarkLength(block) : 0;
    lines += countLines(block);
    bytes += block.length;
    return mark === 0 ? block : block.subarray(mark);
  };
  try {
    checkIsText(opened.head, name);
    let pieces: Buffer[] = [];
    let held = 0;
    for await (const chunk of opened.chunks) {
      signal?.throwIfAborted();
      const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      const end = buffer.lastIndexOf(LINE_FEED) + 1;
      if (end > 0) {
        yield checked(held === 0 ? buffer.subarray(0, end) : Buffer.concat([...pieces, buffer.subarray(0, end)]));
        pieces = [];
        held = 0;
      }
      if (end < buffer.length) pieces.push(buffer.subarray(end));
      held += buffer.length - end;
      if (held > maximumLineBytes) {
        throw new SparseDataError(
          'line-too-long',
          `readLineBlocks: ${name}: line ${lines + 1} has more than ${maximumLineBytes} bytes, which is the limit; is it a text file?`,
        );
      }
      onProgress?.(opened.bytesRead() ?? bytes, opened.fileBytes);
    }
    signal?.throwIfAborted();
    if (held > 0) yield checked(Buffer.concat(pieces));
    if (bytes === 0)
      throw new SparseDataError(
        'empty-input',
        `readLineBlocks: ${name} is empty (0 bytes of text); at least one line is needed`,
      );
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    opened.close();
  }
}

function countLines(block: Buffer): number {
  let lines = 0;
  for (let at = block.indexOf(LINE_FEED); at !== -1; at = block.indexOf(LINE_FEED, at + 1)) lines++;
  return lines;
}

function notUtf8(name: string, block: Buffer, lines: number, bytes: number): SparseDataError {
  const at = findInvalidUtf8(block);
  const byte = (block[at] ?? 0).toString(16).toUpperCase().padStart(2, '0');
  return new SparseDataError(
    'not-utf8',
    `readLineBlocks: ${name}: line ${lines + countLines(block.subarray(0, at)) + 1}: byte 0x${byte} at offset ${bytes + at} is not valid UTF-8; convert the file to UTF-8, e.g. with iconv`,
  );
}
