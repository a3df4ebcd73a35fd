/**
 * Labelled data as rows of features and classes, whatever the format: points with given features, or texts whose
 * features are made here.
 */
import {
  classesOf,
  createClassifierTexts,
  encodeLabelledTexts,
  tokenizeOf,
  type ClassifierParts,
  type ClassifierTexts,
  type LabelledRows,
  type LabelName,
} from '@vastmax/lm-models/labels';
import { columnCounts, type CsrRows, type SparseRowSource } from '@vastmax/sparse-data';
import { inputName, openLabelled, type LabelledInput } from '@vastmax/sparse-data/node';
import {
  buildTextVocabulary,
  collectLabelledTexts,
  DEFAULT_LABEL_PREFIX,
  detectLabelFormat,
  END_OF_TEXT,
  labelsByFrequency,
  type LabelledTextFormat,
  type TextFormat,
} from '@vastmax/sparse-data/records';
import { ngramSettingsOf, type LabelledInputOptions } from '../options/text-label-options.ts';
import { textReadingOf } from '../options/text-options.ts';
import type { TrainOptions } from '../options/training-options.ts';
import { UsageError } from '../terminal/errors.ts';
import {
  checkHeader,
  checkSomeLabels,
  checkTextFeatures,
  checkTrainingLabels,
  type ModelWidths,
} from './check-labels.ts';
import { checkShape, fingerprintOfRows, labelOrder, readPoints, withLabelsInOrder } from './points-in-memory.ts';
import { createReadingProgress, type ReadingProgress } from './reading-progress.ts';

/** What a classifier is trained on. */
export interface TrainingData extends Disposable {
  /** Examples×features, in memory or in the file. */
  readonly inputs: CsrRows | SparseRowSource;
  /** Examples×classes. */
  readonly targets: CsrRows;
  /** Features of all examples together. */
  readonly entries: number;
  /** How often a feature that occurs does so, on average. */
  readonly occurrences: number;
  readonly labels: ArrayLike<LabelName>;
  readonly texts?: ClassifierTexts;
  /** SHA-256, of the rows or, after `file:`, of the file that they are read from. */
  readonly fingerprint: string;
}

/** Opens a file to train on; its format is known then. The caller reads it on. */
export async function openTrainingData(
  path: string,
  options: TrainOptions,
  signal: AbortSignal,
): Promise<LabelledInput & { readonly progress: ReadingProgress }> {
  const progress = createReadingProgress('examples');
  const { labelFormat: format, labelPrefix } = options;
  try {
    const opened = await openLabelled(path, {
      format,
      ...(labelPrefix === undefined ? {} : { labelPrefix }),
      signal,
      onProgress: progress.onProgress,
    });
    return { ...opened, progress };
  } catch (error) {
    progress[Symbol.dispose]();
    throw error;
  }
}

/**
 * @param resumed the parts of the classifier that is gone on with, whose vocabulary and labels are taken.
 * @throws SparseDataError for a file that is wrong; UsageError for one of another kind than the resumed classifier's.
 */
export async function readTrainingData(
  path: string,
  input: LabelledInput & { readonly progress: ReadingProgress },
  options: TrainOptions,
  widths: ModelWidths,
  resumed: ClassifierParts | undefined,
): Promise<TrainingData> {
  const { format, progress } = input;
  if (resumed !== undefined) checkSameKind(path, format, resumed, options.out);
  if (format === 'xmc') {
    const rows = await readPoints(path, input, progress, (shape) => {
      checkHeader(path, shape, widths);
    });
    checkTrainingLabels(path, rows);
    const labels = labelOrder(rows);
    return inMemory({ ...withLabelsInOrder(rows, labels), labels, fingerprint: fingerprintOfRows(rows) });
  }
  const reading = resumed?.texts?.reading ?? (await textReadingOf(options, END_OF_TEXT));
  const labelPrefix = resumed?.texts?.labelPrefix ?? options.labelPrefix ?? DEFAULT_LABEL_PREFIX;
  const texts = await collectLabelledTexts(input.blocks, {
    ...formatOptions(path, format, options),
    ...tokenizeOf(reading),
    labelPrefix,
  });
  const { minCount, maxVocabulary, minCountLabel = 1 } = options;
  const classifierTexts =
    resumed?.texts ??
    createClassifierTexts(
      reading,
      buildTextVocabulary(texts.words, {
        minimumCount: minCount,
        ...(maxVocabulary === undefined ? {} : { maximumSize: maxVocabulary }),
      }),
      { ...ngramSettingsOf(options), labelPrefix },
    );
  const labels = resumed?.labels ?? labelsByFrequency(texts.labels, { minimumCount: minCountLabel });
  checkTextFeatures(path, classifierTexts.features, labels.length, widths);
  const rows = encodeLabelledTexts(classifierTexts, classesOf(labels), texts);
  checkTrainingLabels(path, rows, labels);
  return inMemory({ ...rows, labels, texts: classifierTexts, fingerprint: fingerprintOfRows(rows) });
}

function inMemory(data: LabelledRows & Pick<TrainingData, 'labels' | 'texts' | 'fingerprint'>): TrainingData {
  const { inputs } = data;
  const used = columnCounts(inputs).reduce((sum, occurrences) => sum + (occurrences > 0 ? 1 : 0), 0);
  const entries = inputs.offsets[inputs.rows] ?? 0;
  return { ...data, entries, occurrences: entries / Math.max(1, used), [Symbol.dispose]: () => undefined };
}

function checkSameKind(path: string, format: string, { texts }: ClassifierParts, out: string): void {
  if ((texts === undefined) === (format === 'xmc')) return;
  const [has, needed] = texts === undefined ? ['texts', 'points'] : ['points', 'texts'];
  throw new UsageError(`${path} has ${has} (${format}), ${out} was trained on ${needed}; resume with the same file`);
}

/** Data to evaluate a classifier on, in the format of a file. @throws as readTrainingData. */
export async function readLabelledRows(
  path: string,
  classifier: ClassifierParts & { readonly features: number },
  options: LabelledInputOptions,
  signal: AbortSignal,
): Promise<LabelledRows> {
  const { labels, features, texts } = classifier;
  using progress = createReadingProgress(texts === undefined ? 'points' : 'texts');
  const { onProgress } = progress;
  if (texts === undefined) {
    const input = await openLabelled(path, { format: 'xmc', signal, onProgress });
    const rows = await readPoints(path, input, progress, (shape) => {
      checkShape(path, shape, { features, labels: labels.length });
    });
    checkSomeLabels(path, rows);
    return withLabelsInOrder(rows, Int32Array.from(labels as ArrayLike<number>));
  }
  const input = await openTexts(path, texts, options, { signal, onProgress });
  const read = await collectLabelledTexts(input.blocks, input.options);
  const rows = encodeLabelledTexts(texts, classesOf(labels), read);
  checkSomeLabels(path, rows, labels);
  return rows;
}

/** Opens texts for a classifier: without an extension or --label-format that says otherwise, lines of fastText. */
export async function openTexts(
  path: string,
  { reading, labelPrefix }: ClassifierTexts,
  options: LabelledInputOptions,
  read: { readonly signal: AbortSignal; readonly onProgress: (read: number, total: number) => void },
): Promise<{ readonly blocks: LabelledInput['blocks']; readonly options: LabelledTextFormat }> {
  const format = options.labelFormat ?? detectLabelFormat(path, '', '') ?? 'fasttext';
  if (format === 'xmc')
    throw new UsageError('--label-format xmc is of points with given features; this classifier is one of texts');
  const { blocks } = await openLabelled(path, { ...read, format });
  return { blocks, options: { ...formatOptions(path, format, options), ...tokenizeOf(reading), labelPrefix } };
}

function formatOptions(
  path: string,
  format: TextFormat,
  { textColumn, labelColumn, labelSeparator }: LabelledInputOptions,
): LabelledTextFormat {
  return {
    format,
    name: inputName(path),
    textColumn,
    ...(labelColumn === undefined ? {} : { labelColumn }),
    ...(labelSeparator === undefined ? {} : { labelSeparator }),
  };
}
