import { SparseDataError } from '@vastmax/sparse-data';
import type { ParquetOptions, ParquetSource } from './parquet-rows.ts';
import { parseParquet } from './parquet-rows.ts';

export interface ParquetTextOptions extends Omit<ParquetOptions, 'columns'> {
  /** The column with the texts; `text` unless given. */
  readonly column?: string;
}

/**
 * One column of strings, as lines for countTokens and encodeTokens; rows without a value are skipped. A text may have
 * line breaks in it.
 * @throws SparseDataError on iteration: `bad-parquet` with the row for a value that is no string; as parseParquet.
 */
export async function* parseParquetTexts(
  source: ParquetSource,
  options: ParquetTextOptions = {},
): AsyncGenerator<string, void, undefined> {
  const { column = 'text', name = 'input' } = options;
  for await (const { row, values } of parseParquet(source, { ...options, columns: [column] })) {
    const text = values[column];
    if (text === null || text === undefined) continue;
    if (typeof text !== 'string')
      throw new SparseDataError(
        'bad-parquet',
        `parseParquetTexts: ${name}: row ${row}: ${column} is ${typeof text === 'object' ? 'an object' : `${String(text)}, a ${typeof text}`}; a string is needed`,
      );
    yield text;
  }
}
