/** The options of classifiers of texts: how labelled data is read, and which features are made of a text. */
import { Option, type Command } from 'commander';
import { classWeightingNames, type ClassWeighting } from '@vastmax/lm-models/labels';
import {
  DEFAULT_LABEL_PREFIX,
  detectLabelFormat,
  labelFormatNames,
  noNgrams,
  type LabelFormat,
  type NgramSettings,
} from '@vastmax/sparse-data/records';
import { wholeNumber } from './option-values.ts';

/** How a file of labelled texts is read; of `train`, `evaluate` and `predict`. */
export interface LabelledInputOptions {
  readonly textColumn: string;
  readonly labelFormat?: LabelFormat;
  readonly labelColumn?: string;
  readonly labelSeparator?: string;
}

export interface TextLabelOptions extends LabelledInputOptions {
  readonly labelPrefix?: string;
  readonly minCountLabel?: number;
  readonly wordNgrams?: number;
  readonly minChars?: number;
  readonly maxChars?: number;
  readonly buckets?: number;
  /** `balanced`, `sqrt` or a file. */
  readonly classWeights?: string;
  readonly pointsOnDisk?: boolean;
}

/** Those of classifiers of texts; `labelSeparator` and `minCountLabel` are of vectors with labels too. */
export const ofLabelledTexts: ReadonlySet<keyof TextLabelOptions> = new Set([
  'labelColumn',
  'labelSeparator',
  'labelPrefix',
  'minCountLabel',
  'wordNgrams',
  'minChars',
  'maxChars',
  'buckets',
]);

/** fastText's default. */
const defaultBuckets = 2_000_000;

export function addLabelledInputOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--label-format <name>',
        'of labelled data: xmc for points, fasttext, csv, tsv or jsonl for texts (default: as the file shows)',
      ).choices(labelFormatNames),
    )
    .option(
      '--label-column <name>',
      'csv, tsv, jsonl: the labels of a text; an array of JSON has several (default: label)',
    )
    .option('--label-separator <text>', 'csv, tsv, jsonl: what stands between labels (default: a column is one label)');
}

/** Of `train`. */
export function addTextLabelOptions(command: Command): Command {
  return addLabelledInputOptions(command)
    .option('--label-prefix <text>', `fasttext: how the labels of a line begin (default: ${DEFAULT_LABEL_PREFIX})`)
    .option(
      '--min-count-label <n>',
      'labels seen less often are left out (default: 1)',
      wholeNumber('--min-count-label', 0),
    )
    .option(
      '--word-ngrams <n>',
      'features of n-grams of up to n words, in buckets (default: 1, words only)',
      wholeNumber('--word-ngrams', 1, 64),
    )
    .option(
      '--min-chars <n>',
      'shortest n-gram of the characters of a word that is a feature (default: 0)',
      wholeNumber('--min-chars', 0, 64),
    )
    .option('--max-chars <n>', 'longest one (default: 0, none)', wholeNumber('--max-chars', 0, 64))
    .option(
      '--buckets <n>',
      `buckets that n-grams are hashed into (default: ${defaultBuckets} where there are n-grams)`,
      wholeNumber('--buckets', 1, 2_000_000_000),
    )
    .option(
      '--class-weights <file>',
      `factors of the labels' losses: ${classWeightingNames.join(' or ')} (1/n or 1/√n of n occurrences), or a JSON file of an object, label to number`,
    )
    .option(
      '--points-on-disk',
      'xmc: read points from the file for each minibatch instead of holding them in memory (uncompressed files)',
    );
}

/** As fastText: no buckets where there are no n-grams. */
export function ngramSettingsOf({
  wordNgrams = 1,
  minChars = 0,
  maxChars = 0,
  buckets = defaultBuckets,
}: TextLabelOptions): NgramSettings {
  return wordNgrams > 1 || maxChars > 0 ? { wordNgrams, minChars, maxChars, buckets } : noNgrams;
}

export function classWeightingOf(name: string): ClassWeighting | undefined {
  return classWeightingNames.find((each) => each === name);
}

/** Whether a file has texts, as far as options and its name tell; what a plan without the file assumes. */
export function hasTexts(options: TextLabelOptions, path = ''): boolean {
  const format = options.labelFormat ?? detectLabelFormat(path, '', '');
  if (format !== undefined) return format !== 'xmc';
  return [...ofLabelledTexts].some((name) => options[name] !== undefined);
}
