import { SparseDataError, show } from '../errors.ts';
import { parseCsv, selectColumns, type CsvOptions } from '../records/parse-csv.ts';
import { lineError, type NamedInput } from '../records/record-lines.ts';
import type { TextLines } from '../text/token-stream.ts';
import { InteractionReader, type Interaction, type InteractionTimeFormat } from './interaction-values.ts';

/** As {@link CsvOptions}; `columns` are user, item and time, and how time is written. */
export interface InteractionOptions extends Omit<CsvOptions, 'columns'> {
  /** Default: `user`, `item`, and `time` and `weight` where the header has them. */
  readonly columns?: InteractionColumns;
  /**
   * `number`: any finite number, not converted. `iso-8601`: a date, or date and time; UTC if no time zone is given.
   * `auto` (default): what the first time is.
   */
  readonly timeFormat?: InteractionTimeFormat;
}

/**
 * Columns by name, of which those that are not given have their default; or by position from 0, where there is no
 * header.
 */
export type InteractionColumns =
  | { readonly user?: string; readonly item?: string; readonly time?: string; readonly weight?: string }
  | { readonly user: number; readonly item: number; readonly time?: number; readonly weight?: number };

/**
 * Interactions from CSV or TSV, in the order of the file; other columns are ignored. Cost: O(characters); memory: one
 * record.
 * @throws SparseDataError on iteration: as parseCsv, and `bad-interaction` for an empty user or item, or an invalid
 * time or weight.
 */
export async function* parseInteractions(
  lines: TextLines,
  options: InteractionOptions = {},
): AsyncGenerator<Interaction, void, undefined> {
  const { columns = {}, timeFormat = 'auto', ...csvOptions } = options;
  const { name = 'input' } = options;
  const reader = new InteractionReader('parseInteractions', name, timeFormat);
  let fieldsOf: ReturnType<typeof selectColumns> | undefined;
  let places: SelectedColumns | undefined;
  for await (const record of parseCsv(lines, csvOptions)) {
    places ??= selectedColumns(columns, record.fields);
    fieldsOf ??= selectColumns(places.columns, name);
    const fields = fieldsOf(record)?.fields;
    if (fields === undefined) continue;
    const field = (place: number): string | undefined => (place === -1 ? undefined : fields[place]);
    yield reader.read(record.line, {
      user: fields[0],
      item: fields[1],
      time: field(places.time),
      weight: field(places.weight),
    });
  }
  const { user = 'user', item = 'item' } = columns;
  if (places === undefined && typeof user === 'string')
    throw new SparseDataError(
      'empty-input',
      `parseInteractions: ${name} has no records; a header with ${show(user)} and ${show(item)} is needed`,
    );
}

interface SelectedColumns {
  /** User, item, and the others that there are. */
  readonly columns: readonly string[] | readonly number[];
  /** The places of both in `columns`; −1 for none. */
  readonly time: number;
  readonly weight: number;
}

function selectedColumns(columns: InteractionColumns, header: readonly string[]): SelectedColumns {
  const { user = 'user', item = 'item' } = columns;
  const hasHeader = typeof user === 'string';
  const others = (['time', 'weight'] as const).map(
    (each) => columns[each] ?? (hasHeader && header.includes(each) ? each : undefined),
  );
  const selected = [user, item, ...others.filter((each) => each !== undefined)];
  const [time, weight] = others;
  return {
    columns: selected as readonly string[] | readonly number[],
    time: time === undefined ? -1 : 2,
    weight: weight === undefined ? -1 : selected.length - 1,
  };
}

/**
 * Interactions from lines `user item item …`, between white space: the items of a line in their order, one line or
 * several for a user. Cost: O(characters); memory: one line.
 * @throws SparseDataError on iteration: errors of `lines`.
 */
export async function* parseItemLines(lines: TextLines): AsyncGenerator<Interaction, void, undefined> {
  let line = 0;
  for await (const text of lines) {
    line++;
    const [user = '', ...items] = text
      .replace(/^\ufeff/, '')
      .trim()
      .split(/\s+/);
    for (const item of items) yield { line, user, item, time: 0, weight: 1 };
  }
}

/** An object of JSON Lines or a row of a table. */
export interface InteractionRecord {
  /** Number of the line or row, from 1. */
  readonly line: number;
  readonly value: unknown;
}

/** The fields of records that are interactions. */
export interface InteractionRecordOptions extends NamedInput, Pick<InteractionOptions, 'timeFormat'> {
  /** Names of fields, as in a header. */
  readonly columns?: Exclude<InteractionColumns, { readonly user: number }>;
}

/**
 * Interactions from objects, such as those of parseJsonLines or of the rows of a Parquet file: user and item are
 * strings or whole numbers, times are numbers, dates or their text, weights numbers. O(1) each.
 * @throws SparseDataError on iteration: `bad-interaction` with the line; `missing-column` for a field that the first
 * object has not; what the records throw.
 */
export async function* parseInteractionRecords(
  records: AsyncIterable<InteractionRecord> | Iterable<InteractionRecord>,
  options: InteractionRecordOptions = {},
): AsyncGenerator<Interaction, void, undefined> {
  const { name = 'input', columns = {}, timeFormat = 'auto' } = options;
  const { user = 'user', item = 'item', time = 'time', weight = 'weight' } = columns;
  const reader = new InteractionReader('parseInteractionRecords', name, timeFormat);
  // As in a table, what the first has all must have.
  let needed = [user, item, ...[columns.time, columns.weight].filter((each) => each !== undefined)];
  let isFirst = true;
  for await (const { line, value } of records) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw lineError(
        'bad-interaction',
        'parseInteractionRecords',
        name,
        line,
        `${show(value)} is no object; each line must be one, with ${show(user)} and ${show(item)}`,
      );
    const fields = value as Readonly<Record<string, unknown>>;
    const missing = needed.find((each) => !Object.hasOwn(fields, each));
    if (missing !== undefined)
      throw lineError(
        'missing-column',
        'parseInteractionRecords',
        name,
        line,
        `there is no field ${show(missing)}; it has ${Object.keys(fields).slice(0, 20).map(show).join(', ') || 'none'}`,
      );
    if (isFirst) needed = [...new Set([...needed, ...[time, weight].filter((each) => Object.hasOwn(fields, each))])];
    isFirst = false;
    yield reader.read(line, {
      user: fields[user],
      item: fields[item],
      time: fields[time],
      weight: fields[weight],
    });
  }
}
