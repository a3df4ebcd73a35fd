import { lineError } from './line-error.ts';
import { checkInteger, show } from './option-checks.ts';
import { SparseDataError } from './errors.ts';
import type { CsvRecord } from './parse-csv.ts';

/** Columns of a table: all by their names in a header, or all by position, from 0, where there is no header. */
export type CsvColumns = readonly string[] | readonly number[];

/**
 * A function that picks columns out of each record of a table; it returns undefined for the header, which it must see
 * first where columns are named.
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
