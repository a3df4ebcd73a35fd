/** The options that define how a text is read, of `train`, `vocab` and `tokenize`. */
import { Option, type Command } from 'commander';
import {
  createTextReading,
  letterCases,
  tokenizerNames,
  type TextReading,
  type TextSettings,
} from '@vastmax/lm-models/text';
import type { LetterCase } from '@vastmax/sparse-data';
import { readSubwordTokenizer } from '@vastmax/text-readers/node';
import { UsageError } from '../terminal/errors.ts';

export interface TextOptions {
  readonly tokenizer: string;
  readonly letterCase?: LetterCase;
  readonly lowerCase?: true;
  readonly locale?: string;
  readonly textColumn: string;
}

export const textColumnHelp = 'of a Parquet file, or of csv, tsv and jsonl for classifiers: the column with the texts';

export function addTextOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--tokenizer <name>',
        'how a line becomes words: whitespace, words, segmenter, or a Hugging Face tokenizer.json',
      )
        .argParser(tokenizerName)
        .default('whitespace'),
    )
    .addOption(new Option('--letter-case <name>', 'fold to one case (default: keep)').choices(letterCases))
    .option('--lower-case', 'short for --letter-case lower')
    .option('--locale <tag>', 'segmenter: language of the text, ja for instance')
    .option('--text-column <name>', textColumnHelp, 'text');
}

/**
 * @param endOfLine the word that ends each line.
 * @throws UsageError for options that contradict each other, SparseDataError for an invalid tokenizer file.
 */
export async function textReadingOf(options: TextOptions, endOfLine = '<eos>'): Promise<TextReading> {
  const { tokenizer, locale } = options;
  if (options.lowerCase === true && options.letterCase !== undefined && options.letterCase !== 'lower') {
    throw new UsageError(
      `--lower-case and --letter-case ${options.letterCase} contradict each other; leave one of them out`,
    );
  }
  const letterCase = options.letterCase ?? (options.lowerCase === true ? 'lower' : 'keep');
  if (locale !== undefined && tokenizer !== 'segmenter')
    throw new UsageError(`--locale is an option of --tokenizer segmenter, not of ${tokenizer}; leave it out`);
  const common = { letterCase, endOfLine, unknown: '<unk>' };
  if (isFile(tokenizer)) {
    if (letterCase !== 'keep')
      throw new UsageError(
        `--letter-case ${letterCase} is no option of a tokenizer file, which has its own rule; leave it out`,
      );
    const read = await readSubwordTokenizer(tokenizer);
    return createTextReading({ ...common, tokenizer: 'subword' }, { tokenizer: read, definition: read.definition });
  }
  return createTextReading({
    ...common,
    tokenizer: tokenizer as TextSettings['tokenizer'],
    ...(locale === undefined ? {} : { locale }),
  });
}

function isFile(tokenizer: string): boolean {
  return /\.json$/i.test(tokenizer);
}

function tokenizerName(text: string): string {
  if (isFile(text) || tokenizerNames.some((name) => name === text)) return text;
  throw new UsageError(
    `--tokenizer must be one of ${tokenizerNames.join(', ')}, or a file whose name ends in .json, got '${text}'`,
  );
}
