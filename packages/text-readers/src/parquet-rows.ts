import { SparseDataError, isSparseDataError, type CancellationSignal, type NamedInput } from '@vastmax/sparse-data';
import { parquetMetadataAsync, parquetReadObjects, parquetSchema, type FileMetaData } from 'hyparquet';

// Rows of a Parquet file, a row group at a time: a writer's unit of some ten thousand rows, which is read column by
// column and cannot be cut without reading its pages anyway. hyparquet decodes; it throws plain errors of many kinds,
// which get the file's name here.

/** A file that is read by ranges of bytes, as hyparquet's AsyncBuffer. */
export interface ParquetSource {
  readonly byteLength: number;
  /** Bytes `start` to `end` − 1, to the end of the file unless given. */
  slice(start: number, end?: number): ArrayBuffer | Promise<ArrayBuffer>;
}

/**
 * From a page's bytes and the length that they should have to the page, by the name of the codec; snappy is there
 * without one.
 */
export type ParquetCompressors = Readonly<
  Partial<
    Record<'GZIP' | 'BROTLI' | 'LZ4' | 'LZ4_RAW' | 'LZO' | 'ZSTD', (bytes: Uint8Array, length: number) => Uint8Array>
  >
>;

export interface ParquetOptions extends NamedInput {
  /** Which columns to read; all unless given. Others cost nothing. */
  readonly columns?: readonly string[];
  readonly compressors?: ParquetCompressors;
  /**
   * A row group that says it has more bytes than this, uncompressed, is refused before it is read; 2 GiB unless given.
   */
  readonly maximumRowGroupBytes?: number;
  /** Looked at before each row group; reading then ends with the signal's reason. */
  readonly signal?: CancellationSignal;
  /** With the rows read so far, and all of them, after each row group. */
  readonly onProgress?: (rows: number, total: number) => void;
}

export interface ParquetRow {
  /** From 1. */
  readonly row: number;
  /** By column. 64-bit integers are bigints, missing values are null. */
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Rows in order. Holds the selected columns of one row group.
 * @throws SparseDataError on iteration: `bad-parquet` with name and place, `missing-column` with the columns that there
 * are, `record-too-long` for a row group past maximumRowGroupBytes; whatever the source throws.
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
  let first = 0;
  for (const [at, group] of metadata.row_groups.entries()) {
    signal?.throwIfAborted();
    const rows = Number(group.num_rows);
    const bytes = Number(group.total_byte_size);
    if (bytes > maximumRowGroupBytes) {
      throw new SparseDataError(
        'record-too-long',
        `parseParquet: ${name}: row group ${at + 1} of ${metadata.row_groups.length} has ${bytes} bytes; at most ${maximumRowGroupBytes} are allowed: raise maximumRowGroupBytes`,
      );
    }
    const read = await decode(name, `rows ${first + 1} to ${first + rows}`, () =>
      parquetReadObjects({
        file: source,
        metadata,
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
    for (const values of read) yield { row: ++first, values };
    onProgress?.(first, total);
  }
}

/** The number of rows. */
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
