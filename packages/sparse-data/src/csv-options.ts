import type { CsvColumns } from './csv-columns.ts';
import type { NamedInput } from './line-error.ts';
import { checkInteger, show } from './option-checks.ts';
import { SparseDataError } from './errors.ts';

export interface CsvOptions extends NamedInput {
  /** One character other than a quote or a line end; default a comma. */
  readonly delimiter?: string;
  /**
   * `rfc4180` (default): a field may be quoted, and a quote in it is doubled. `none`: quotes are text, as in most
   * tab-separated data.
   */
  readonly quotes?: 'rfc4180' | 'none';
  /**
   * Columns to yield, in this order. Names: the first record is a header and not yielded. Positions (from 0): there is
   * no header. Default: every record as it is, a header included.
   */
  readonly columns?: CsvColumns;
  /**
   * Longest record allowed, in characters, so that a quote that is never closed does not fill the memory; default 2^26.
   */
  readonly maximumRecordLength?: number;
}

type CheckedCsvOptions = Required<Omit<CsvOptions, 'columns'>> & { readonly columns: CsvColumns | undefined };

/**
 * The options with their defaults.
 * @throws SparseDataError `bad-option`.
 */
export function checkCsvOptions(options: CsvOptions): CheckedCsvOptions {
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
