/**
 * A text as lines, from wherever it comes: a file (plain, .gz or .br), a Parquet file, standard input. Training reads
 * it twice, to count and to encode; standard input can be read once, so its first pass leaves a copy on disk for the
 * next. Memory stays bounded either way.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLines } from '@vastmax/sparse-data/node';
import { readParquetTexts } from '@vastmax/text-readers/node';

export interface ReadingOptions {
  readonly signal?: AbortSignal;
  /** With what has been read and all there is, in bytes or rows; all is Infinity for standard input. */
  readonly onProgress?: (read: number, total: number) => void;
}

const blockLength = 2 ** 20;

export class TextSource implements AsyncDisposable {
  /** `-` is standard input. */
  readonly path: string;
  readonly #column: string;
  readonly #copies: boolean;
  #folder: string | undefined;
  #copy: string | undefined;

  /** @param options `column` of a Parquet file; `passes` that will be made. */
  constructor(
    path: string,
    { column = 'text', passes = 1 }: { readonly column?: string; readonly passes?: number } = {},
  ) {
    this.path = path;
    this.#column = column;
    this.#copies = path === '-' && passes > 1;
  }

  lines(options: ReadingOptions = {}): AsyncIterable<string> {
    if (this.#copy !== undefined) return readLines(this.#copy, options);
    if (this.path.endsWith('.parquet')) return readParquetTexts(this.path, { ...options, column: this.#column });
    const lines = readLines(this.path, options);
    return this.#copies ? this.#copied(lines) : lines;
  }

  async *#copied(lines: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
    this.#folder = await mkdtemp(join(tmpdir(), 'vastmax-'));
    const path = join(this.#folder, 'standard-input.txt');
    await using file = await open(path, 'w');
    // readLines drops one byte order mark at the start, so that the copy is read as the original was.
    let block = '\uFEFF';
    for await (const line of lines) {
      yield line;
      block += `${line}\n`;
      if (block.length < blockLength) continue;
      await file.writeFile(block);
      block = '';
    }
    await file.writeFile(block);
    this.#copy = path;
  }

  /** Removes the copy. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}
