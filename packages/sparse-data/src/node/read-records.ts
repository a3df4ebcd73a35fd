// The parsers of `/records` for files: lines are read with readLines, and the path is the name in error messages.

import { type CsvOptions, type CsvRecord, parseCsv } from '../records/parse-csv.ts';
import type { Interaction } from '../interactions/interaction-values.ts';
import { detectInteractionFormat, type InteractionFormat } from '../interactions/interaction-formats.ts';
import {
  type InteractionColumns,
  type InteractionOptions,
  parseInteractionRecords,
  parseInteractions,
  parseItemLines,
} from '../interactions/parse-interactions.ts';
import { type JsonLine, parseJsonLines } from '../records/parse-json-lines.ts';
import { type XmcHeader, type XmcOptions, type XmcPoint, parseXmc, parseXmcHeader } from '../labels/parse-xmc.ts';
import { parseXmcRows, type XmcBatch, type XmcRowsOptions } from '../labels/parse-xmc-rows.ts';
import { SparseDataError, show } from '../errors.ts';
import { inputName } from './open-bytes.ts';
import { readLineBlocks, type ReadLineBlocksOptions } from './read-line-blocks.ts';
import { type ReadLinesOptions, readLines } from './read-lines.ts';

/** Options for reading and parsing, without keepLineEnds (determined by the format) and name (the path). */
export type ReadRecordsOptions<ParseOptions> = Omit<ReadLinesOptions, 'keepLineEnds'> & Omit<ParseOptions, 'name'>;

/** parseJsonLines for a file that readLines can read (`.gz`, `.br`, `-`). Throws the errors of both. */
export function readJsonLines(
  path: string,
  options: Omit<ReadLinesOptions, 'keepLineEnds'> = {},
): AsyncGenerator<JsonLine, void, undefined> {
  return parseJsonLines(readLines(path, options), { name: inputName(path) });
}

/**
 * parseCsv for a file that readLines can read. The default delimiter is a tab if the path, without .gz or .br, ends in
 * .tsv.
 */
export function readCsv(
  path: string,
  options: ReadRecordsOptions<CsvOptions> = {},
): AsyncGenerator<CsvRecord, void, undefined> {
  return parseCsv(readLines(path, { ...options, keepLineEnds: true }), {
    delimiter: delimiterOf(path),
    ...options,
    name: inputName(path),
  });
}

/** How a file of interactions is read. */
export type ReadInteractionsOptions = ReadRecordsOptions<InteractionOptions> & {
  /** As the file's name and first line tell unless given. */
  readonly format?: InteractionFormat;
};

/**
 * Interactions of a file that readLines can read: CSV, TSV, JSON Lines, or lines `user item item …`, by parseInteractions,
 * parseInteractionRecords and parseItemLines. Throws their errors and those of readLines; `bad-option` for positions of
 * columns with JSON Lines.
 */
export async function* readInteractions(
  path: string,
  options: ReadInteractionsOptions = {},
): AsyncGenerator<Interaction, void, undefined> {
  const lines = readLines(path, { ...options, keepLineEnds: true });
  try {
    const first = await lines.next();
    if (first.done === true) return;
    const { format = detectInteractionFormat(path, first.value), columns = {}, timeFormat = 'auto' } = options;
    const all = startingWith(first.value, lines);
    const name = inputName(path);
    if (format === 'lines') {
      const [named] = Object.entries(columns).filter(([, column]) => column !== undefined);
      if (named !== undefined) {
        throw new SparseDataError(
          'bad-option',
          `readInteractions: ${name} is read as lines \`user item item …\`, which have no columns, and the ${named[0]} column is ${show(named[1])}; give the format csv, tsv or jsonl, or no columns`,
        );
      }
      yield* parseItemLines(all);
    } else if (format === 'jsonl')
      yield* parseInteractionRecords(parseJsonLines(all, { name }), { columns: namesOf(columns), timeFormat, name });
    else yield* parseInteractions(all, { delimiter: format === 'tsv' ? '\t' : ',', ...options, name });
  } finally {
    await lines.return();
  }
}

async function* startingWith<Value>(
  first: Value,
  rest: AsyncGenerator<Value, void, undefined>,
): AsyncGenerator<Value, void, undefined> {
  yield first;
  yield* rest;
}

function namesOf(columns: InteractionColumns): Exclude<InteractionColumns, { readonly user: number }> {
  if (typeof columns.user === 'number')
    throw new SparseDataError(
      'bad-option',
      `readInteractions: columns are positions such as ${columns.user}, and JSON Lines have fields with names; give names`,
    );
  return columns as Exclude<InteractionColumns, { readonly user: number }>;
}

/** parseXmc for a file that readLines can read. */
export function readXmc(
  path: string,
  options: ReadRecordsOptions<XmcOptions> = {},
): AsyncGenerator<XmcPoint, void, undefined> {
  return parseXmc(readLines(path, options), { ...options, name: inputName(path) });
}

/** parseXmcRows for a file that readLines can read. Throws the errors of both. */
export function readXmcRows(
  path: string,
  options: ReadLineBlocksOptions & Omit<XmcRowsOptions, 'name'> = {},
): AsyncGenerator<XmcBatch, void, undefined> {
  return parseXmcRows(readLineBlocks(path, options), { ...options, name: inputName(path) });
}

/**
 * The numbers of points, features and labels of an XMC file, from its first line. Throws the errors of parseXmcHeader
 * and readLines.
 */
export async function readXmcHeader(
  path: string,
  options: Omit<ReadLinesOptions, 'keepLineEnds'> = {},
): Promise<XmcHeader> {
  let header = '';
  for await (const line of readLines(path, options)) {
    header = line;
    break;
  }
  return parseXmcHeader(header, { name: inputName(path) });
}

function delimiterOf(path: string): string {
  return /\.tsv(?:\.gz|\.br)?$/i.test(path) ? '\t' : ',';
}
