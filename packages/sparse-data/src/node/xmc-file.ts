// An XMC file whose points are read when a minibatch needs them. One pass over the file checks it and keeps where each
// point begins (8 bytes) and its labels; a row is then read at its place and parsed, at the cost of a read of some
// hundred bytes, which the page cache of the system answers where the file fits into memory. So minibatches are those of
// the same rows in memory, in the same order, and a run goes on from the same cursor.

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { SparseRowSource } from '../batches/sparse-batches.ts';
import { CsrBuffer } from '../csr/csr-buffer.ts';
import { enlarged } from '../csr/enlarged.ts';
import type { CsrRows } from '../csr/csr-rows.ts';
import { SparseDataError } from '../errors.ts';
import { XmcReader, type XmcOptions, type XmcShape } from '../labels/parse-xmc.ts';
import { XmcLineParser } from '../labels/xmc-line-parser.ts';
import { byteOrderMarkLength, endOfLine } from '../text/byte-lines.ts';
import { inputName, isPipe, isStandardInput, openBytes } from './open-bytes.ts';
import { readLineBlocks, type ReadLineBlocksOptions } from './read-line-blocks.ts';

/** As {@link XmcOptions}, and how to stop and to see how much is read. */
export interface OpenXmcFileOptions extends Omit<XmcOptions, 'name'>, ReadLineBlocksOptions {
  /** Called once, as soon as the numbers of features and labels are known: it may refuse them. */
  readonly onShape?: (shape: XmcShape) => void;
  /** Called now and then with the number of points so far. */
  readonly onPoints?: (points: number) => void;
}

/** Must be disposed: the file is open. */
export interface XmcFile extends Disposable {
  /** The features of each point: `inputs` of SparseBatches. */
  readonly inputs: SparseRowSource;
  /** The labels of each point, in memory. */
  readonly targets: CsrRows;
  /** Features of all points together. */
  readonly entries: number;
  /** Features that a point has. */
  readonly usedFeatures: number;
  /** SHA-256 of the file, in hexadecimal. */
  readonly hash: string;
}

/**
 * Opens an XMC or LIBSVM file to be read point by point. One pass over the file; memory: 12 bytes a point, 4 bytes a
 * label, and a byte a feature while it lasts.
 * @throws SparseDataError as readXmcRows; `bad-option` for a pipe or a compressed file, of which no place can be read. From
 * `copyRow`: `unreadable-file` when the file has changed since.
 */
export async function openXmcFile(path: string, options: OpenXmcFileOptions = {}): Promise<XmcFile> {
  await checkIsPlain(path);
  const descriptor = openSync(path, 'r');
  try {
    return await indexFile(path, descriptor, options);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

async function checkIsPlain(path: string): Promise<void> {
  if (await isPipe(path)) throw notSeekable(path, 'a pipe');
  if (isStandardInput(path)) throw notSeekable(path, 'standard input');
  const { isPlain, close } = await openBytes(path);
  close();
  if (!isPlain) throw notSeekable(path, 'compressed');
}

function notSeekable(path: string, what: string): SparseDataError {
  return new SparseDataError(
    'bad-option',
    `openXmcFile: ${inputName(path)} is ${what}, of which single points cannot be read; give an uncompressed file, or hold the points in memory`,
  );
}

async function indexFile(path: string, descriptor: number, options: OpenXmcFileOptions): Promise<XmcFile> {
  const { onShape, onPoints } = options;
  const { size, mtimeMs } = fstatSync(descriptor);
  const reader = new XmcReader({ ...options, name: path });
  if (options.shape !== undefined) onShape?.(options.shape);
  const hash = createHash('sha256');
  const head = new Uint8Array(3);
  // The byte order mark is no part of the first block.
  let blockStart = byteOrderMarkLength(head, 0, readSync(descriptor, head, 0, 3, 0));
  let places = new Float64Array(1024);
  let labels: CsrBuffer | undefined;
  let used: Uint8Array | undefined;
  let entries = 0;
  let isWeighted = false;
  for await (const block of readLineBlocks(path, options)) {
    hash.update(block);
    for (let start = 0; start < block.length;) {
      const end = endOfLine(block, start);
      if (reader.readLine(block, start, end)) {
        if (reader.points === places.length) places = enlarged(places, new Float64Array(2 * places.length));
        // What follows, up to the next point, is white space.
        places[reader.points - 1] = blockStart + start;
        places[reader.points] = blockStart + end;
      } else if (reader.line === 1 && options.shape === undefined) onShape?.(reader.shape);
      start = end + 1;
    }
    blockStart += block.length;
    if (reader.points > 0) {
      const { inputs, targets } = reader.take();
      labels ??= new CsrBuffer(targets.columns, { weighted: false });
      addRows(targets, labels);
      used ??= new Uint8Array(inputs.columns);
      for (const index of inputs.indices) used[index] = 1;
      entries += inputs.indices.length;
      isWeighted ||= inputs.values !== undefined;
    }
    onPoints?.(reader.points);
  }
  reader.end();
  const { points, shape } = reader;
  const row = new RowReader(path, descriptor, options);
  const copyRow = (number: number, out: CsrBuffer): void => {
    const now = fstatSync(descriptor);
    if (now.size !== size || now.mtimeMs !== mtimeMs)
      throw new SparseDataError(
        'unreadable-file',
        `openXmcFile: ${path} has changed since it was opened; leave it as it is while its points are read`,
      );
    row.read(places[number]!, places[number + 1]!, number + 1, out);
  };
  return {
    inputs: { rows: points, columns: shape.features, isWeighted, copyRow },
    targets: (labels ?? new CsrBuffer(shape.labels, { weighted: false })).rows(),
    entries,
    usedFeatures: used?.reduce((count, mark) => count + mark, 0) ?? 0,
    hash: hash.digest('hex'),
    [Symbol.dispose]: () => {
      closeSync(descriptor);
    },
  };
}

/** Reads and parses the line at a place; its buffer is reused. */
class RowReader {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #firstFeature: number;
  /** The labels of a line are in memory already. */
  readonly #ignored = new CsrBuffer(2 ** 31 - 1, { weighted: false });
  #bytes = new Uint8Array(2 ** 16);
  #out: CsrBuffer | undefined;
  #parser: XmcLineParser | undefined;

  constructor(path: string, descriptor: number, { firstFeature = 0 }: OpenXmcFileOptions) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#firstFeature = firstFeature;
  }

  read(start: number, end: number, line: number, out: CsrBuffer): void {
    const length = end - start;
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(2 * length);
    for (let done = 0; done < length;) {
      const read = readSync(this.#descriptor, this.#bytes, done, length - done, start + done);
      if (read === 0) throw new SparseDataError('unreadable-file', `openXmcFile: ${this.#path} has become shorter`);
      done += read;
    }
    if (this.#parser === undefined || this.#out !== out) {
      this.#out = out;
      this.#parser = new XmcLineParser({
        name: this.#path,
        firstFeature: this.#firstFeature,
        features: out,
        labels: this.#ignored,
      });
    }
    this.#ignored.clear();
    this.#parser.parse(this.#bytes, byteOrderMarkLength(this.#bytes, 0, length), length, line);
  }
}

function addRows({ rows, offsets, indices }: CsrRows, out: CsrBuffer): void {
  for (let row = 0; row < rows; row++) {
    for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) out.add(indices[entry]!);
    out.endRow();
  }
}
