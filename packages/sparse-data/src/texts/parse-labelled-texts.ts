/** Labelled texts of fastText, CSV, TSV and JSON Lines, out of blocks of whole lines. */
import { type SparseDataError, show } from '../errors.ts';
import { parseCsv } from '../records/parse-csv.ts';
import { parseJsonLines } from '../records/parse-json-lines.ts';
import { lineError, type NamedInput } from '../records/record-lines.ts';
import { endOfLine, LINE_FEED } from '../text/byte-lines.ts';
import type { TextFormat } from './label-formats.ts';
import { LabelledTexts, type LabelledTextsOptions } from './labelled-texts.ts';
import { decodeUtf8 } from './utf8.ts';

/** The format of labelled texts, and its columns where it has some. */
export interface LabelledTextFormat extends NamedInput, LabelledTextsOptions {
  readonly format: TextFormat;
  /** Column of a table, or field of a JSON object: the text; `text` unless given. */
  readonly textColumn?: string;
  /** The labels; `label` unless given. An array of JSON has several. */
  readonly labelColumn?: string;
  /** What stands between the labels of a column; one label unless given. */
  readonly labelSeparator?: string;
  /** Whether labels of columns are read; true unless given. */
  readonly withLabels?: boolean;
  /** How many texts are collected at a time; all unless given. */
  readonly batchSize?: number;
}

/** Some texts, and the line of each. */
export interface LabelledTextBatch {
  readonly texts: LabelledTexts;
  /** The number of each text's first line, from 1; empty unless `batchSize` is given. */
  readonly lines: readonly number[];
}

/** UTF-8, whole lines; the last may have no line end. */
export type LineBlocks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * The texts of a file, `batchSize` at a time. O(bytes), without a string for a word where words are between white space.
 * @throws SparseDataError on iteration, naming the line: of parseCsv and parseJsonLines, `missing-column` where a record
 * has no text or no label, `bad-json` where they are of another type.
 */
export async function* parseLabelledTexts(
  blocks: LineBlocks,
  options: LabelledTextFormat,
): AsyncGenerator<LabelledTextBatch, void, undefined> {
  const { batchSize = Infinity } = options;
  let texts = new LabelledTexts(options);
  let lines: number[] = [];
  const take = (): LabelledTextBatch => {
    const batch = { texts, lines };
    texts = new LabelledTexts(options);
    lines = [];
    return batch;
  };
  if (options.format === 'fasttext') {
    let line = 1;
    for await (const block of blocks) {
      if (batchSize === Infinity) {
        texts.addLines(block);
        continue;
      }
      for (const some of linesAtATime(block)) {
        texts.addLines(some);
        lines.push(line++);
        if (lines.length === batchSize) yield take();
      }
    }
  } else {
    for await (const { line, text, labels } of textRecords(blocks, options)) {
      texts.addText(text, labels);
      if (batchSize === Infinity) continue;
      lines.push(line);
      if (lines.length === batchSize) yield take();
    }
  }
  if (batchSize === Infinity || lines.length > 0) yield take();
}

/** All texts of a file; as parseLabelledTexts. */
export async function collectLabelledTexts(
  blocks: LineBlocks,
  options: Omit<LabelledTextFormat, 'batchSize'>,
): Promise<LabelledTexts> {
  for await (const { texts } of parseLabelledTexts(blocks, options)) return texts;
  return new LabelledTexts(options);
}

const CARRIAGE_RETURN = 0x0d;

function* linesAtATime(block: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let start = 0; start < block.length;) {
    const end = Math.min(block.length, endOfLine(block, start) + 1);
    yield block.subarray(start, end);
    start = end;
  }
}

/**
 * The lines of blocks as strings, without their line ends (\n or \r\n).
 * @param options `keepLineEnds` for formats in which a line break can be data.
 */
export async function* linesOfBlocks(
  blocks: LineBlocks,
  { keepLineEnds = false }: { readonly keepLineEnds?: boolean } = {},
): AsyncGenerator<string, void, undefined> {
  for await (const block of blocks) {
    for (const line of linesAtATime(block)) {
      let end = line.length;
      if (!keepLineEnds && line[end - 1] === LINE_FEED) end -= line[end - 2] === CARRIAGE_RETURN ? 2 : 1;
      yield decodeUtf8(line, 0, end);
    }
  }
}

interface TextRecord {
  readonly line: number;
  readonly text: string;
  readonly labels: readonly string[];
}

async function* textRecords(
  blocks: LineBlocks,
  options: LabelledTextFormat,
): AsyncGenerator<TextRecord, void, undefined> {
  const { format, name = 'input', textColumn = 'text', labelColumn = 'label', withLabels = true } = options;
  const labelsOf = (field: string): readonly string[] => splitLabels(field, options.labelSeparator);
  if (format !== 'jsonl') {
    const table = parseCsv(linesOfBlocks(blocks, { keepLineEnds: true }), {
      name,
      columns: withLabels ? [textColumn, labelColumn] : [textColumn],
      ...(format === 'tsv' ? { delimiter: '\t', quotes: 'none' as const } : {}),
    });
    for await (const { line, fields } of table) {
      const [text = '', label = ''] = fields;
      yield { line, text, labels: withLabels ? labelsOf(label) : [] };
    }
    return;
  }
  for await (const { line, value } of parseJsonLines(linesOfBlocks(blocks), { name })) {
    const fail = (code: 'bad-json' | 'missing-column', message: string): SparseDataError =>
      lineError(code, 'parseLabelledTexts', name, line, message);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw fail('bad-json', `${show(value)} is no object; one with ${show(textColumn)} is needed`);
    const record = value as Readonly<Record<string, unknown>>;
    const fieldOf = (column: string): unknown => {
      if (Object.hasOwn(record, column)) return record[column];
      throw fail(
        'missing-column',
        `there is no field ${show(column)}, but ${Object.keys(record).slice(0, 20).map(show).join(', ')}`,
      );
    };
    const text = fieldOf(textColumn);
    if (typeof text !== 'string') throw fail('bad-json', `${show(textColumn)} is ${show(text)}; a string is needed`);
    if (!withLabels) {
      yield { line, text, labels: [] };
      continue;
    }
    const field = fieldOf(labelColumn);
    const labels = (Array.isArray(field) ? (field as unknown[]) : field === null ? [] : [field]).map((label) => {
      if (typeof label === 'string' || typeof label === 'number' || typeof label === 'boolean') return String(label);
      throw fail(
        'bad-json',
        `${show(labelColumn)} has ${show(label)}; a string, a number or an array of them is needed`,
      );
    });
    yield { line, text, labels: labels.flatMap(labelsOf) };
  }
}

function splitLabels(field: string, separator: string | undefined): readonly string[] {
  const parts = separator === undefined ? [field] : field.split(separator);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
