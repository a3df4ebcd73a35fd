/** The labels of each example of a file, as JSON Lines, or of one text. Only one batch of examples is in memory. */
import type { Matrix } from '@vastmax/linalg-core';
import {
  predictClasses,
  tokenizeOf,
  type Classifier,
  type ClassifierTexts,
  type LabelName,
} from '@vastmax/lm-models/labels';
import type { OutputLayer } from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import { readXmcRows } from '@vastmax/sparse-data/node';
import { LabelledTexts, parseLabelledTexts } from '@vastmax/sparse-data/records';
import type { LabelledInputOptions } from '../options/text-label-options.ts';
import { writeResults } from '../terminal/standard-output.ts';
import { count, Progress } from '../terminal/terminal.ts';
import { openTexts } from './label-data.ts';
import { checkShape } from './points-in-memory.ts';

export interface LabelPredictionOptions extends LabelledInputOptions {
  readonly top: number;
  /** Only labels with a probability, or without one a score, of at least this. */
  readonly threshold?: number;
  readonly batch: number;
  readonly signal: AbortSignal;
}

/** The probability is left out where the output layer has none. */
export interface PredictedLabel {
  readonly label: string | number;
  readonly probability?: number;
  readonly score: number;
}

/** The best labels of each row, best first. O(rows · labels · width). */
async function labelsOfRows(
  { network, labels }: Classifier,
  inputs: CsrRows,
  options: Pick<LabelPredictionOptions, 'top' | 'threshold' | 'signal'>,
): Promise<PredictedLabel[][]> {
  return await labelsOfHidden(network.output, labels, network.computeHidden({ inputs }), options);
}

/** The best labels of each row of activations, best first. */
export async function labelsOfHidden(
  output: OutputLayer,
  labels: ArrayLike<LabelName>,
  hidden: Matrix,
  { top, threshold = -Infinity, signal }: Pick<LabelPredictionOptions, 'top' | 'threshold' | 'signal'>,
): Promise<PredictedLabel[][]> {
  const { k, classes, scores, probabilities } = await predictClasses(output, hidden, Math.min(top, labels.length), {
    signal,
  });
  return Array.from({ length: hidden.rows }, (_, row) =>
    Array.from(classes.subarray(row * k, (row + 1) * k), (index, place) => {
      const probability = probabilities?.[row * k + place];
      return {
        label: labels[index] ?? -1,
        ...(probability === undefined ? {} : { probability }),
        score: scores[row * k + place] ?? -Infinity,
      };
    }).filter(({ probability, score }) => (probability ?? score) >= threshold),
  );
}

/** The best labels of one text. */
export async function labelsOfText(
  classifier: Classifier,
  { features, reading }: ClassifierTexts,
  text: string,
  options: Pick<LabelPredictionOptions, 'top' | 'threshold' | 'signal'>,
): Promise<PredictedLabel[]> {
  const texts = new LabelledTexts(tokenizeOf(reading));
  texts.addText(text);
  const [labels = []] = await labelsOfRows(classifier, features.encode(texts), options);
  return labels;
}

/** Examples of a file, some at a time. */
interface ExampleRows {
  /** The number of each example's line in the file. */
  readonly lines: readonly number[];
  readonly inputs: CsrRows;
}

/** Prints an object for each example: its line in the file, and its best labels. */
export async function predictLabels(
  classifier: Classifier,
  path: string,
  options: LabelPredictionOptions,
): Promise<void> {
  // On a terminal the results would overwrite the progress bar, so there is none.
  using progress = process.stdout.isTTY ? undefined : new Progress('predicting');
  let done = 0;
  const onProgress = (read: number, total: number): void => {
    progress?.update(read / total, [`${count(done)} examples`]);
  };
  const rows =
    classifier.texts === undefined
      ? pointsOf(classifier, path, { ...options, onProgress })
      : textsOf(classifier.texts, path, { ...options, onProgress });
  for await (const { lines, inputs } of rows) {
    const labels = await labelsOfRows(classifier, inputs, options);
    done += lines.length;
    const results = lines.map((line, row) => `${JSON.stringify({ line, labels: labels[row] })}\n`);
    if (!(await writeResults(results.join('')))) return;
  }
}

type ReadingOptions = LabelPredictionOptions & { readonly onProgress: (read: number, total: number) => void };

async function* textsOf(
  texts: ClassifierTexts,
  path: string,
  options: ReadingOptions,
): AsyncGenerator<ExampleRows, void, undefined> {
  const input = await openTexts(path, texts, options, options);
  const batches = parseLabelledTexts(input.blocks, { ...input.options, withLabels: false, batchSize: options.batch });
  for await (const { texts: some, lines } of batches) yield { lines, inputs: texts.features.encode(some) };
}

async function* pointsOf(
  { features, labels }: Classifier,
  path: string,
  { batch, signal, onProgress }: ReadingOptions,
): AsyncGenerator<ExampleRows, void, undefined> {
  // The points before an invalid line are predicted too.
  yield* readXmcRows(path, {
    batchSize: batch,
    signal,
    onProgress,
    onShape: (shape) => {
      checkShape(path, shape, { features, labels: labels.length });
    },
  });
}
