// A strict parser of comma- and tab-separated values (RFC 4180) for a stream of lines. What is an error in the standard
// is an error here, with its line number, because a misplaced quote that is read as text silently shifts all later
// columns of a file. csv-parse was rejected: it would be the only dependency of this package, and would replace about
// ninety lines.
//
// Lines may include their line ends ("\n" or "\r\n", as from readLines with keepLineEnds). A line break inside quotes
// is then the same as in the file; without line ends it becomes "\n".

import { lineError, type NamedInput } from './record-lines.ts';
import { SparseDataError, checkInteger, show } from '../errors.ts';
import type { TextLines } from '../text/token-stream.ts';

/** The fields of a record, and the line where it begins. */
export interface CsvRecord {
  /** Number of the first line of the record, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * The records of CSV or TSV text, each with as many fields as the first. Empty lines are skipped (a record with one
 * empty field is written `""`), a byte order mark at the start is removed, and the last line may have no line end.
 * Cost: O(characters); memory: one record.
 * @throws SparseDataError on iteration, naming the line: `bad-csv` for wrong quoting or a carriage return within a
 * field, `wrong-count` for a record with another number of fields than the first, `missing-column`, `record-too-long`;
 * `empty-input` if columns are given by name and there is no header; `bad-option`.
 */
export async function* parseCsv(
  lines: TextLines,
  options: CsvOptions = {},
): AsyncGenerator<CsvRecord, void, undefined> {
  const { name, delimiter, quotes, columns, maximumRecordLength } = checkCsvOptions(options);
  const select = columns === undefined ? (record: CsvRecord) => record : selectColumns(columns, name);
  let line = 0;
  let first: CsvRecord | undefined;
  let fields: string[] = [];
  let recordLine = 1;
  let length = 0;
  /** The text so far of a quoted field that continues on the next line. */
  let open: string | undefined;
  const bad = (message: string): SparseDataError =>
    lineError('bad-csv', 'parseCsv', name, line, `field ${fields.length + 1}: ${message}`);

  /** Reads one line, without its line end, into `fields`; returns true if the record is complete. */
  function readFields(text: string, lineEnd: string): boolean {
    let at = 0;
    for (;;) {
      let value: string;
      if (open !== undefined || (quotes === 'rfc4180' && text[at] === '"')) {
        if (open === undefined) at++;
        value = open ?? '';
        open = undefined;
        for (;;) {
          const quote = text.indexOf('"', at);
          if (quote === -1) {
            open = value + text.slice(at) + lineEnd;
            return false;
          }
          value += text.slice(at, quote);
          at = quote + 1;
          if (text[at] !== '"') break;
          value += '"';
          at++;
        }
        if (at < text.length && text[at] !== delimiter) {
          throw bad(
            `${show(text[at])} follows a closing quote; a delimiter ${show(delimiter)} or the line end is needed (a quote within quotes is doubled)`,
          );
        }
      } else {
        const next = text.indexOf(delimiter, at);
        value = text.slice(at, next === -1 ? text.length : next);
        at += value.length;
        if (quotes === 'rfc4180' && value.includes('"'))
          throw bad(
            `${show(value)} has a quote but does not begin with one; quote the whole field, or set quotes to none`,
          );
        if (value.includes('\r'))
          throw bad(`${show(value)} has a carriage return without a line feed; lines end with \\n or \\r\\n`);
      }
      fields.push(value);
      if (at >= text.length) return true;
      at++;
    }
  }

  for await (const raw of lines) {
    line++;
    const lineEnd = /\r?\n$|\r$/.exec(raw)?.[0] ?? '';
    const text = raw.slice(line === 1 && raw.startsWith('\ufeff') ? 1 : 0, raw.length - lineEnd.length);
    if (open === undefined) {
      if (text === '') continue;
      recordLine = line;
      fields = [];
      length = 0;
      if (text.startsWith('\ufeff'))
        throw bad(
          'it begins with a byte order mark (U+FEFF), as where files were joined; remove it, or quote the field',
        );
    }
    length += raw.length;
    if (length > maximumRecordLength) {
      throw lineError(
        'record-too-long',
        'parseCsv',
        name,
        recordLine,
        `the record has more than ${maximumRecordLength} characters, which is the limit; is a quote not closed?`,
      );
    }
    if (!readFields(text, lineEnd === '' ? '\n' : lineEnd)) continue;
    const record: CsvRecord = { line: recordLine, fields };
    first ??= record;
    if (fields.length !== first.fields.length) {
      throw lineError(
        'wrong-count',
        'parseCsv',
        name,
        recordLine,
        `${fields.length} fields, but the first record (line ${first.line}) has ${first.fields.length}; they must be equal`,
      );
    }
    const selected = select(record);
    if (selected !== undefined) yield selected;
  }
  if (open !== undefined)
    throw lineError(
      'bad-csv',
      'parseCsv',
      name,
      recordLine,
      `field ${fields.length + 1} of this record opens a quote that is not closed by line ${line}, the last; add the closing quote`,
    );
  if (first === undefined && typeof columns?.[0] === 'string') {
    throw new SparseDataError(
      'empty-input',
      `parseCsv: ${name} has no records; a header with ${columns.map(show).join(', ')} is needed`,
    );
  }
}

/** Delimiter, quotes, and which columns are wanted. */
export interface CsvOptions extends NamedInput {
  /** One character other than a quote or a line end; default a comma. */
  readonly delimiter?: string;
  /**
   * `rfc4180` (default): a field may be quoted, and a quote in it is doubled. `none`: quotes are normal text, as in
   * most tab-separated data.
   */
  readonly quotes?: 'rfc4180' | 'none';
  /**
   * Columns to yield, in this order. Names: the first record is a header and not yielded. Positions (from 0): there is
   * no header. Default: all columns of every record, including a header.
   */
  readonly columns?: CsvColumns;
  /** Longest allowed record, in characters, so that an unclosed quote does not fill the memory; default 2^26. */
  readonly maximumRecordLength?: number;
}

type CheckedCsvOptions = Required<Omit<CsvOptions, 'columns'>> & { readonly columns: CsvColumns | undefined };

/**
 * The options with their defaults.
 * @throws SparseDataError `bad-option`.
 */
function checkCsvOptions(options: CsvOptions): CheckedCsvOptions {
  const { name = 'input', delimiter = ',', quotes = 'rfc4180', columns, maximumRecordLength = 2 ** 26 } = options;
  checkInteger('parseCsv', 'maximumRecordLength', maximumRecordLength, 1, 2 ** 28);
  if (delimiter.length !== 1 || delimiter === '"' || delimiter === '\n' || delimiter === '\r') {
    throw new SparseDataError(
      'bad-option',
      `parseCsv: delimiter is ${show(delimiter)}; one character other than a quote or a line end is needed`,
    );
  }
  if (quotes !== 'rfc4180' && quotes !== 'none')
    throw new SparseDataError('bad-option', `parseCsv: quotes is ${show(quotes)}; rfc4180 or none is needed`);
  return { name, delimiter, quotes, columns, maximumRecordLength };
}

/** Columns of a table: all by name in a header, or all by position, from 0, if there is no header. */
export type CsvColumns = readonly string[] | readonly number[];

/**
 * A function that selects columns of each record of a table. If columns are given by name, the header must be its first
 * argument; it returns undefined for the header.
 */
export function selectColumns(columns: CsvColumns, name: string): (record: CsvRecord) => CsvRecord | undefined {
  let positions: number[] | undefined;
  if (columns.length === 0)
    throw new SparseDataError('bad-option', 'parseCsv: columns is empty; at least 1 name or position is needed');
  if (columns.every((column) => typeof column === 'number')) {
    for (const column of columns) checkInteger('parseCsv', 'a position in columns', column, 0, 2 ** 31 - 1);
    positions = [...columns];
  } else if (!columns.every((column) => typeof column === 'string')) {
    throw new SparseDataError(
      'bad-option',
      'parseCsv: columns mixes names and positions; give all names (there is a header) or all positions (there is none)',
    );
  }
  return (record) => {
    if (positions === undefined) {
      positions = columns.map((column) => positionOf(String(column), record, name));
      return undefined;
    }
    return {
      line: record.line,
      fields: positions.map((position) => {
        const field = record.fields[position];
        if (field === undefined) {
          throw lineError(
            'missing-column',
            'parseCsv',
            name,
            record.line,
            `there is no column ${position}, only ${record.fields.length}; positions are 0..${record.fields.length - 1}`,
          );
        }
        return field;
      }),
    };
  };
}

function positionOf(column: string, header: CsvRecord, name: string): number {
  const position = header.fields.indexOf(column);
  const names = header.fields.slice(0, 20).map(show).join(', ');
  if (position === -1) {
    const more = header.fields.length > 20 ? ` and ${header.fields.length - 20} more` : '';
    throw lineError(
      'missing-column',
      'parseCsv',
      name,
      header.line,
      `the header has no column ${show(column)}; it has ${names}${more}`,
    );
  }
  if (header.fields.includes(column, position + 1)) {
    throw lineError(
      'missing-column',
      'parseCsv',
      name,
      header.line,
      `the header has two columns ${show(column)} (${position} and ${header.fields.indexOf(column, position + 1)}); rename one, or select by position`,
    );
  }
  return position;
}
