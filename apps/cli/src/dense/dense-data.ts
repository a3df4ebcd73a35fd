/** Vectors and their labels: what a classifier of vectors is trained and evaluated on. */
import { createHash } from 'node:crypto';
import { classesOf, type LabelName } from '@vastmax/lm-models/labels';
import {
  columnsByFrequency,
  DenseBatches,
  renumberColumns,
  SparseDataError,
  splitRows,
  type CsrRows,
  type DenseRowSource,
} from '@vastmax/sparse-data';
import { readLines } from '@vastmax/sparse-data/node';
import { collectLabelLines, targetsOfLabelLines, type LabelLinesOptions } from '@vastmax/sparse-data/records';
import { checkSomeLabels, checkTrainingLabels } from '../labels/check-labels.ts';
import type { DenseTrainOptions } from '../options/dense-options.ts';
import { count } from '../terminal/terminal.ts';
import { openVectors, type Vectors } from './open-vectors.ts';

/** Examples: rows of both that `rows` names, or all. */
export interface DenseExamples {
  readonly inputs: DenseRowSource;
  readonly targets: CsrRows;
  readonly rows?: Int32Array;
}

export interface DenseTrainingData extends Disposable {
  readonly vectors: Vectors;
  /** Examples with a label, without those held out. */
  readonly training: Required<DenseExamples>;
  /** Those that --hold-out holds out. */
  readonly heldOut: DenseExamples | undefined;
  readonly labels: readonly LabelName[];
  /** How often each class occurs in training. */
  readonly frequencies: Float64Array;
  /** Root mean square of the vectors' numbers, of a sample; 1 where they are all 0. */
  readonly scale: number;
  /** SHA-256 of the sizes, the labels and that sample. */
  readonly fingerprint: string;
}

interface DenseDataOptions extends DenseTrainOptions {
  /** Those of a resumed run, by class. */
  readonly knownLabels?: ArrayLike<LabelName> | undefined;
}

/** @throws SparseDataError for files that are wrong or do not fit each other. */
export async function readDenseData(options: DenseDataOptions, signal: AbortSignal): Promise<DenseTrainingData> {
  const { features, labels: file, featuresArray: array, precision, knownLabels, holdOut, seed } = options;
  const vectors = await openVectors(features, { array, precision, signal });
  try {
    const { inputs } = vectors;
    const { targets: found, labels } = await readLabels(options, signal);
    checkLines(file, found.rows, features, inputs.rows);
    checkTrainingLabels(file, { targets: found }, labels, 'examples');
    const { kept, heldOut } =
      holdOut === undefined || holdOut === 0
        ? { kept: Int32Array.from({ length: inputs.rows }, (_, row) => row), heldOut: undefined }
        : splitRows(inputs.rows, { heldOut: holdOut, seed });
    const rows = kept.filter((row) => found.offsets[row + 1]! > found.offsets[row]!);
    // Classes are numbered by how often they occur in training.
    const order =
      knownLabels === undefined
        ? columnsByFrequency(countsOf(found, rows))
        : Int32Array.from({ length: found.columns }, (_, index) => index);
    const targets = renumberColumns(found, order);
    const sample = sampleOf(inputs);
    return {
      vectors,
      training: { inputs, targets, rows },
      heldOut: heldOut === undefined ? undefined : { inputs, targets, rows: heldOut },
      labels: Array.from(order, (index) => labels[index]!),
      frequencies: countsOf(targets, rows),
      scale: scaleOf(sample),
      fingerprint: fingerprintOf(inputs, targets, sample),
      [Symbol.dispose]: () => {
        vectors[Symbol.dispose]();
      },
    };
  } catch (error) {
    vectors[Symbol.dispose]();
    throw error;
  }
}

async function readLabels(
  { labels: file, labelSeparator, minCountLabel, knownLabels }: DenseDataOptions,
  signal: AbortSignal,
): Promise<{ readonly targets: CsrRows; readonly labels: ArrayLike<LabelName> }> {
  const options: LabelLinesOptions = {
    name: file,
    ...(labelSeparator === undefined ? {} : { separator: labelSeparator }),
    ...(minCountLabel === undefined ? {} : { minimumCount: minCountLabel }),
  };
  const lines = readLines(file, { signal });
  if (knownLabels === undefined) return await collectLabelLines(lines, options);
  return { targets: await targetsOfLabelLines(lines, classesOf(knownLabels), options), labels: knownLabels };
}

/** Vectors and labels to evaluate a classifier on. */
interface HeldOutOptions {
  readonly features: string;
  readonly array?: string | undefined;
  readonly labels: string;
  readonly labelSeparator?: string | undefined;
  readonly precision: DenseTrainOptions['precision'];
}

/**
 * @param classifier whose labels and width the files must have.
 * @throws SparseDataError for files that are wrong, or do not fit each other or the classifier.
 */
export async function readHeldOut(
  { features, array, labels: file, labelSeparator, precision }: HeldOutOptions,
  classifier: { readonly labels: ArrayLike<LabelName>; readonly features: number },
  signal: AbortSignal,
): Promise<DenseExamples & Disposable> {
  const vectors = await openVectors(features, { array, precision, signal });
  try {
    const { inputs } = vectors;
    checkWidth(features, inputs.columns, classifier.features);
    const separator = labelSeparator === undefined ? {} : { separator: labelSeparator };
    const classes = classesOf(classifier.labels);
    const targets = await targetsOfLabelLines(readLines(file, { signal }), classes, { name: file, ...separator });
    checkLines(file, targets.rows, features, inputs.rows);
    checkSomeLabels(file, { targets }, classifier.labels, 'examples');
    return {
      inputs,
      targets,
      [Symbol.dispose]: () => {
        vectors[Symbol.dispose]();
      },
    };
  } catch (error) {
    vectors[Symbol.dispose]();
    throw error;
  }
}

/** @throws SparseDataError `shape`. */
export function checkWidth(features: string, columns: number, expected: number): void {
  if (columns !== expected)
    throw new SparseDataError(
      'shape',
      `${features} has vectors of ${count(columns)} numbers, the model is of ${count(expected)}; take those of the same encoder`,
    );
}

function checkLines(labels: string, lines: number, features: string, rows: number): void {
  if (lines !== rows)
    throw new SparseDataError(
      'shape',
      `${labels} has ${count(lines)} lines of labels, ${features} has ${count(rows)} vectors; a line for each is needed`,
    );
}

/** One epoch of them in a fixed order, for an evaluation. */
export function evaluationBatches({ inputs, targets, rows }: DenseExamples): DenseBatches {
  return new DenseBatches({ inputs, targets, ...(rows === undefined ? {} : { rows }), batchSize: 256, seed: 0 });
}

function countsOf({ columns, offsets, indices }: CsrRows, rows: Int32Array): Float64Array {
  const counts = new Float64Array(columns);
  for (const row of rows)
    for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) counts[indices[entry]!]!++;
  return counts;
}

const sampledRows = 1024;

/** Rows that are spread evenly. */
function sampleOf({ rows, columns, copyRows }: DenseRowSource): Float64Array {
  const size = Math.min(rows, sampledRows);
  const sample = new Float64Array(size * columns);
  copyRows(
    Int32Array.from({ length: size }, (_, i) => Math.floor((i * rows) / size)),
    sample,
  );
  return sample;
}

/** Three digits, for people to read. */
function scaleOf(sample: Float64Array): number {
  const scale = Math.sqrt(sample.reduce((sum, value) => sum + value * value, 0) / Math.max(1, sample.length));
  return scale > 0 && Number.isFinite(scale) ? Number(scale.toPrecision(3)) : 1;
}

function fingerprintOf({ rows, columns }: DenseRowSource, targets: CsrRows, sample: Float64Array): string {
  const hash = createHash('sha256');
  hash.update(`${rows} ${columns} `).update(targets.offsets).update(targets.indices).update(sample);
  return hash.digest('hex');
}
