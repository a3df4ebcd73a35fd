// Reads the rows of a Parquet file, one row group at a time. A row group is the writer's unit of some ten thousand
// rows. It is stored column by column, and a part of it cannot be read without reading its pages. hyparquet decodes the
// file; it throws plain errors of many kinds, to which the name of the file is added here.

import { SparseDataError, isSparseDataError, type CancellationSignal, type NamedInput } from '@vastmax/sparse-data';
import { parquetMetadataAsync, parquetReadObjects, parquetSchema, type FileMetaData } from 'hyparquet';
import { checkStrings, notUtf8, strictStrings } from './parquet-strings.ts';

/** A file that is read by ranges of bytes, like hyparquet's AsyncBuffer. */
export interface ParquetSource {
  readonly byteLength: number;
  /** Bytes `start` to `end` − 1; default: to the end of the file. */
  slice(start: number, end?: number): ArrayBuffer | Promise<ArrayBuffer>;
}

/**
 * Decompression functions by the name of the codec. The arguments are the bytes of a page and its decompressed length.
 * snappy is built in.
 */
export type ParquetCompressors = Readonly<
  Partial<
    Record<'GZIP' | 'BROTLI' | 'LZ4' | 'LZ4_RAW' | 'LZO' | 'ZSTD', (bytes: Uint8Array, length: number) => Uint8Array>
  >
>;

/** Which columns are read, decompressors, the limit on a row group, and how to stop. */
export interface ParquetOptions extends NamedInput {
  /** The columns to read; default all. Other columns cost nothing. */
  readonly columns?: readonly string[];
  readonly compressors?: ParquetCompressors;
  /**
   * Largest allowed size of a row group, in uncompressed bytes according to its metadata, checked before it is read;
   * default 2 GiB.
   */
  readonly maximumRowGroupBytes?: number;
  /** Checked before each row group; if aborted, iteration throws the signal's reason. */
  readonly signal?: CancellationSignal;
  /** Called after each row group with the number of rows read so far and the total number. */
  readonly onProgress?: (rows: number, total: number) => void;
}

/** The number of a row and its values by column. */
export interface ParquetRow {
  /** Number of the row, from 1. */
  readonly row: number;
  /**
   * Values by column. 64-bit integers are bigints, JSON is its text, times are Dates (of milliseconds), bytes of a
   * column that is not declared as text are a string if they are UTF-8 and a Uint8Array otherwise, missing values are
   * null.
   */
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * The rows, in order. Memory: the selected columns of one row group.
 * @throws SparseDataError on iteration: `bad-parquet` with name and position, `not-utf8` with row and column of a text,
 * `missing-column` with the existing columns, `record-too-long` for a row group larger than maximumRowGroupBytes; errors of the source.
 */
export async function* parseParquet(
  source: ParquetSource,
  options: ParquetOptions = {},
): AsyncGenerator<ParquetRow, void, undefined> {
  const { name = 'input', columns, compressors, maximumRowGroupBytes = 2 ** 31, signal, onProgress } = options;
  signal?.throwIfAborted();
  const metadata = await decode(name, 'its footer', () => parquetMetadataAsync(source));
  const total = checkMetadata(metadata, source.byteLength, name);
  checkColumns(metadata, columns, name);
  const declared = textColumns(metadata);
  let first = 0;
  for (const [at, group] of metadata.row_groups.entries()) {
    signal?.throwIfAborted();
    const rows = Number(group.num_rows);
    const bytes = Number(group.total_byte_size);
    if (bytes > maximumRowGroupBytes) {
      throw new SparseDataError(
        'record-too-long',
        `parseParquet: ${name}: row group ${at + 1} of ${metadata.row_groups.length} has ${bytes} bytes; at most ${maximumRowGroupBytes} are allowed; write it with smaller row groups`,
      );
    }
    const read = await decode(name, `rows ${first + 1} to ${first + rows}`, () =>
      parquetReadObjects({
        file: source,
        metadata,
        parsers: strictStrings,
        rowStart: first,
        rowEnd: first + rows,
        ...(columns === undefined ? {} : { columns: [...columns] }),
        ...(compressors === undefined ? {} : { compressors }),
      }),
    );
    if (read.length !== rows)
      throw new SparseDataError(
        'bad-parquet',
        `parseParquet: ${name}: row group ${at + 1} says it has ${rows} rows, ${read.length} were found; the file is damaged`,
      );
    for (const values of read) yield { row: ++first, values: checkStrings(values, declared, `${name}: row ${first}`) };
    onProgress?.(first, total);
  }
}

/** Checks the metadata, and returns the number of rows. */
function checkMetadata(
  { row_groups: groups, num_rows: total }: FileMetaData,
  byteLength: number,
  name: string,
): number {
  let sum = 0;
  for (const [at, { num_rows: rows, total_byte_size: bytes, columns }] of groups.entries()) {
    for (const [what, value] of [
      ['rows', rows],
      ['bytes', bytes],
    ] as const) {
      if (!Number.isSafeInteger(Number(value)) || value < 0)
        throw new SparseDataError(
          'bad-parquet',
          `parseParquet: ${name}: row group ${at + 1} says it has ${value} ${what}; the file is damaged`,
        );
    }
    for (const { meta_data: column } of columns) {
      const end =
        column === undefined
          ? 0
          : Number(column.dictionary_page_offset ?? column.data_page_offset) + Number(column.total_compressed_size);
      if (end > byteLength)
        throw new SparseDataError(
          'bad-parquet',
          `parseParquet: ${name}: column ${String(column?.path_in_schema.join('.'))} of row group ${at + 1} ends at byte ${end}, the file has ${byteLength}; it is truncated or damaged`,
        );
    }
    sum += Number(rows);
  }
  if (sum !== Number(total))
    throw new SparseDataError(
      'bad-parquet',
      `parseParquet: ${name}: its row groups have ${sum} rows together, its footer says ${total}; the file is damaged`,
    );
  return sum;
}

function checkColumns(metadata: FileMetaData, columns: readonly string[] | undefined, name: string): void {
  const found = parquetSchema(metadata).children.map(({ element }) => element.name);
  const missing = columns?.find((column) => !found.includes(column));
  if (missing === undefined) return;
  const more = found.length > 20 ? ` and ${found.length - 20} more` : '';
  throw new SparseDataError(
    'missing-column',
    `parseParquet: ${name}: there is no column ${JSON.stringify(missing)}; it has ${found
      .slice(0, 20)
      .map((each) => JSON.stringify(each))
      .join(', ')}${more}`,
  );
}

/** The columns that are declared as text; those of nested values are. */
function textColumns(metadata: FileMetaData): ReadonlySet<string> {
  const isText = ({ element, children }: ReturnType<typeof parquetSchema>): boolean =>
    children.length > 0 || element.converted_type !== undefined || element.logical_type !== undefined;
  return new Set(
    parquetSchema(metadata)
      .children.filter(isText)
      .map(({ element }) => element.name),
  );
}

async function decode<T>(name: string, what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (isSparseDataError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SparseDataError(
      'bad-parquet',
      `parseParquet: ${name}: ${what} cannot be decoded (${reason}); it is damaged, not Parquet, or uses what hyparquet lacks`,
      { cause: error },
    );
  }
}

/** As {@link ParquetOptions}, with the one column that holds texts. */
export interface ParquetTextOptions extends Omit<ParquetOptions, 'columns'> {
  /** The column with the texts; default `text`. */
  readonly column?: string;
}

/**
 * One column of strings, as lines for countTokens and encodeTokens; rows without a value are skipped. A text may
 * contain line breaks.
 * @throws SparseDataError on iteration: `bad-parquet` with the row for a value that is not a string, `not-utf8` with the
 * row for one that is not UTF-8; otherwise as parseParquet.
 */
export async function* parseParquetTexts(
  source: ParquetSource,
  options: ParquetTextOptions = {},
): AsyncGenerator<string, void, undefined> {
  const { column = 'text', name = 'input' } = options;
  yield* textsOf(parseParquet(source, { ...options, columns: [column] }), column, name);
}

/** The strings of one column of rows that have been read. */
export async function* textsOf(
  rows: AsyncIterable<ParquetRow>,
  column: string,
  name: string,
): AsyncGenerator<string, void, undefined> {
  for await (const { row, values } of rows) {
    const text = values[column];
    if (text === null || text === undefined) continue;
    if (text instanceof Uint8Array) throw notUtf8(text, `${name}: row ${row}`, column);
    if (typeof text !== 'string')
      throw new SparseDataError(
        'bad-parquet',
        `parseParquetTexts: ${name}: row ${row}: ${column} is ${typeof text === 'object' ? 'an object' : `${String(text)}, a ${typeof text}`}; a string is needed`,
      );
    yield text;
  }
}
