import { SparseDataError, show } from '../errors.ts';
import { parseCsv, type CsvOptions } from '../records/parse-csv.ts';
import { lineError, parseNumber } from '../records/record-lines.ts';
import type { TextLines } from '../text/token-stream.ts';

/** An interaction of a user with an item at a time, such as a click or a rating. */
export interface Interaction {
  /** Number of the line, from 1. */
  readonly line: number;
  readonly user: string;
  readonly item: string;
  /** In the unit of the file; seconds since 1970 for dates. */
  readonly time: number;
}

/** As {@link CsvOptions}; `columns` are user, item and time, and how time is written. */
export interface InteractionOptions extends Omit<CsvOptions, 'columns'> {
  /**
   * The three columns: names in the header (default `user`, `item`, `time`), or positions from 0 if there is no header.
   */
  readonly columns?: InteractionColumns;
  /**
   * `number` (default): any finite number, not converted. `iso-8601`: a date, or date and time; UTC if no time zone is
   * given.
   */
  readonly timeFormat?: InteractionTimeFormat;
}

/** Where user, item and time are: names of a header, or numbers of columns from 0. */
export type InteractionColumns =
  | { readonly user: string; readonly item: string; readonly time: string }
  | { readonly user: number; readonly item: number; readonly time: number };

/**
 * Interactions from CSV or TSV, in the order of the file; other columns are ignored. Cost: O(characters); memory: one
 * record.
 * @throws SparseDataError on iteration: as parseCsv, and `bad-interaction` for an empty user or item, or an invalid
 * time.
 */
export async function* parseInteractions(
  lines: TextLines,
  options: InteractionOptions = {},
): AsyncGenerator<Interaction, void, undefined> {
  const { columns = { user: 'user', item: 'item', time: 'time' }, timeFormat = 'number', ...csvOptions } = options;
  const { name = 'input' } = options;
  if (timeFormat !== 'number' && timeFormat !== 'iso-8601') {
    throw new SparseDataError(
      'bad-option',
      `parseInteractions: timeFormat is ${show(timeFormat)}; number or iso-8601 is needed`,
    );
  }
  const selected = [columns.user, columns.item, columns.time] as readonly string[] | readonly number[];
  for await (const { line, fields } of parseCsv(lines, { ...csvOptions, columns: selected })) {
    const [user = '', item = '', timeText = ''] = fields;
    const bad = (message: string): SparseDataError =>
      lineError('bad-interaction', 'parseInteractions', name, line, message);
    if (user === '') throw bad(`user is empty (item ${show(item)}); each interaction needs a user`);
    if (item === '') throw bad(`item is empty (user ${show(user)}); each interaction needs an item`);
    const time = parseInteractionTime(timeText, timeFormat);
    if (time === undefined) {
      throw bad(
        `time is ${show(timeText)}; ${timeFormat === 'number' ? 'a finite number is needed (for dates set timeFormat to iso-8601)' : 'a date such as 2014-04-07T10:51:09Z is needed'}`,
      );
    }
    yield { line, user, item, time };
  }
}

/** How time is written. */
export type InteractionTimeFormat = 'number' | 'iso-8601';

const ISO_8601 = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2}(?:\.\d+)?))?(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * A time as a number (seconds since 1970 for iso-8601), or undefined if the text is invalid. Does not depend on the
 * time zone of the machine.
 */
function parseInteractionTime(text: string, format: InteractionTimeFormat): number | undefined {
  if (format === 'number') return parseNumber(text);
  const match = ISO_8601.exec(text);
  if (match === null) return undefined;
  const [, day = '', minutes = '00:00', seconds = '00', zone = 'Z'] = match;
  // Date.parse converts 2023-02-29 to 1 March; so a day is valid only if it is unchanged after formatting it again.
  const midnight = Date.parse(`${day}T00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return undefined;
  const minute = Date.parse(`${day}T${minutes}${zone}`);
  const second = Number(seconds);
  return Number.isNaN(minute) || second >= 60 ? undefined : minute / 1000 + second;
}
