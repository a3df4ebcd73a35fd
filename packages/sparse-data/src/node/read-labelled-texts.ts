// Labelled texts of files: the format is told from the name and the first line, also of a pipe, which is read once.

import { SparseDataError, show } from '../errors.ts';
import { detectLabelFormat, type LabelFormat } from '../texts/label-formats.ts';
import { DEFAULT_LABEL_PREFIX, type LabelledTexts } from '../texts/labelled-texts.ts';
import { collectLabelledTexts, type LabelledTextFormat } from '../texts/parse-labelled-texts.ts';
import { decodeUtf8 } from '../texts/utf8.ts';
import { inputName } from './open-bytes.ts';
import { readLineBlocks, type ReadLineBlocksOptions } from './read-line-blocks.ts';

/** The bytes of labelled examples, and the format that was found. */
export interface LabelledInput {
  readonly format: LabelFormat;
  /** All of the file, in blocks of whole lines. Can be read once. */
  readonly blocks: AsyncGenerator<Uint8Array, void, undefined>;
}

/** The format, or the one to assume where it cannot be told. */
export interface OpenLabelledOptions extends ReadLineBlocksOptions {
  /** As the file's name and first line tell unless given. */
  readonly format?: LabelFormat | undefined;
  /** What the format is where neither tells; an error unless given. */
  readonly otherwise?: LabelFormat;
  /** See LabelledTexts. */
  readonly labelPrefix?: string;
}

/**
 * Opens a file of labelled data, plain or compressed, or standard input, which is then read on.
 * @throws SparseDataError as readLines; `bad-option` when the format cannot be told.
 */
export async function openLabelled(path: string, options: OpenLabelledOptions = {}): Promise<LabelledInput> {
  const { labelPrefix = DEFAULT_LABEL_PREFIX, otherwise } = options;
  const source = readLineBlocks(path, options);
  if (options.format !== undefined) return { format: options.format, blocks: source };
  const { value: first } = await source.next();
  const block = first ?? new Uint8Array();
  async function* blocks(): AsyncGenerator<Uint8Array, void, undefined> {
    yield block;
    yield* source;
  }
  const end = block.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  const line = decodeUtf8(block, 0, end === -1 ? block.length : end);
  const format = detectLabelFormat(path, line, labelPrefix) ?? otherwise;
  if (format !== undefined) return { format, blocks: blocks() };
  await source.return();
  throw new SparseDataError(
    'bad-option',
    `${inputName(path)}: line 1: ${show(line)} does not tell the format: it is not a header \`points features labels\` of XMC, no word of it begins with the label prefix ${show(labelPrefix)} as in fastText, it is no JSON object, and the file's name ends in none of .csv, .tsv and .jsonl; say the format or the prefix`,
  );
}

/**
 * All texts of a file in a format of texts, words and labels as numbers in order of first appearance. O(bytes): 40 MB a
 * second and more for words between white space. Memory: 4 bytes a word and the different words.
 * @throws SparseDataError as openLabelled and parseLabelledTexts.
 */
export async function readLabelledTexts(
  path: string,
  options: OpenLabelledOptions & Omit<LabelledTextFormat, 'format' | 'name' | 'batchSize'>,
): Promise<LabelledTexts> {
  const { format, blocks } = await openLabelled(path, options);
  const name = inputName(path);
  if (format === 'xmc')
    throw new SparseDataError('bad-option', `readLabelledTexts: ${name} has points of given features, no texts`);
  return collectLabelledTexts(blocks, { ...options, name, format });
}
