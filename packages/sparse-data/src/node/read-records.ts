// The parsers of `/records` for files: lines are read with readLines, and the path is the name in error messages.

import { type CsvOptions, type CsvRecord, parseCsv } from '../records/parse-csv.ts';
import { type Interaction, type InteractionOptions, parseInteractions } from '../interactions/parse-interactions.ts';
import { type JsonLine, parseJsonLines } from '../records/parse-json-lines.ts';
import { type XmcHeader, type XmcOptions, type XmcPoint, parseXmc, parseXmcHeader } from '../labels/parse-xmc.ts';
import { parseXmcRows, type XmcBatch, type XmcRowsOptions } from '../labels/parse-xmc-rows.ts';
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

/** parseInteractions for a file, read as by readCsv. */
export function readInteractions(
  path: string,
  options: ReadRecordsOptions<InteractionOptions> = {},
): AsyncGenerator<Interaction, void, undefined> {
  return parseInteractions(readLines(path, { ...options, keepLineEnds: true }), {
    delimiter: delimiterOf(path),
    ...options,
    name: inputName(path),
  });
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
