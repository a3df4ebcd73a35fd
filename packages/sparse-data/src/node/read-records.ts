// The parsers of the main entry over files: lines from readLines, the path as the name in error messages.

import type { CsvOptions } from '../records/parse-csv.ts';
import type { Interaction, InteractionOptions } from '../interactions/parse-interactions.ts';
import { parseInteractions } from '../interactions/parse-interactions.ts';
import type { CsvRecord } from '../records/parse-csv.ts';
import { parseCsv } from '../records/parse-csv.ts';
import type { JsonLine } from '../records/parse-json-lines.ts';
import { parseJsonLines } from '../records/parse-json-lines.ts';
import type { XmcHeader, XmcOptions, XmcPoint } from '../labels/parse-xmc.ts';
import { parseXmc, parseXmcHeader } from '../labels/parse-xmc.ts';
import { inputName } from './read-lines.ts';
import type { ReadLinesOptions } from './read-lines.ts';
import { readLines } from './read-lines.ts';

/** How to read the file; the format decides about line ends, and the path is the name. */
export type ReadRecordsOptions<ParseOptions> = Omit<ReadLinesOptions, 'keepLineEnds'> & Omit<ParseOptions, 'name'>;

/** parseJsonLines over a file, as readLines reads it (`.gz`, `.br`, `-`). Throws what both throw. */
export function readJsonLines(
  path: string,
  options: Omit<ReadLinesOptions, 'keepLineEnds'> = {},
): AsyncGenerator<JsonLine, void, undefined> {
  return parseJsonLines(readLines(path, options), { name: inputName(path) });
}

/**
 * parseCsv over a file, as readLines reads it. The delimiter is a tab by default where the path, without .gz or .br,
 * ends in .tsv.
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

/** parseInteractions over a file, as readCsv reads it. */
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

/** parseXmc over a file, as readLines reads it. */
export function readXmc(
  path: string,
  options: ReadRecordsOptions<XmcOptions> = {},
): AsyncGenerator<XmcPoint, void, undefined> {
  return parseXmc(readLines(path, options), { ...options, name: inputName(path) });
}

/**
 * The numbers of points, features and labels of an XMC file, from its first line. Throws as parseXmcHeader and
 * readLines.
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
  return /\.tsv(?:\.gz|\.br)?$/.test(path) ? '\t' : ',';
}
