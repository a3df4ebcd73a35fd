/** What is wrong or suspicious with labelled data, before anything is trained or evaluated on it. */
import { totalmem } from 'node:os';
import { columnCounts, SparseDataError } from '@vastmax/sparse-data';
import type { LabelledRows, LabelName } from '@vastmax/lm-models/labels';
import type { TextFeatures, XmcShape } from '@vastmax/sparse-data/records';
import { bytes, count, warn } from '../terminal/terminal.ts';

/** The list of labels in a checkpoint is one string, of fewer than 2^29 characters. */
const maxLabels = 40_000_000;

/** Numbers per label, and per feature, of the smallest model with these options. */
export interface ModelWidths {
  readonly embedding: number;
  readonly output: number;
  readonly bytesPerNumber: number;
  /** Numbers that the update rule of the embeddings keeps for each of them. */
  readonly moments: number;
}

const availableMemory = (): number => Math.min(totalmem(), process.constrainedMemory() || Infinity);

/** @throws SparseDataError `record-too-long` for a header whose labels or features fit no model on this machine. */
export function checkHeader(path: string, { features, labels }: XmcShape, widths: ModelWidths): void {
  const fail = (problem: string): never => {
    throw new SparseDataError(
      'record-too-long',
      `${path}: its first line says ${count(features)} features and ${count(labels)} labels: ${problem}; is the line right?`,
    );
  };
  if (labels > maxLabels) return fail(`a classifier has at most ${count(maxLabels)} labels`);
  const needed = widths.bytesPerNumber * features * widths.embedding + outputBytes(labels, widths);
  const memory = availableMemory();
  if (needed > memory)
    return fail(`the model alone takes ${bytes(needed)}, and this machine has ${bytes(memory)} of memory`);
}

/** Besides its vector a label has a count, a place in the order of labels, and a place in that of classes. */
function outputBytes(labels: number, { output, bytesPerNumber }: ModelWidths): number {
  return labels * (bytesPerNumber * output + 32);
}

/** Bytes of the embeddings of so many features, and of the moments of their update rule. */
export function embeddingBytes(features: number, { embedding, bytesPerNumber, moments }: ModelWidths): number {
  return features * embedding * bytesPerNumber * (1 + moments);
}

/** @throws SparseDataError `record-too-long` for words and buckets that fit no model on this machine. */
export function checkTextFeatures(
  path: string,
  { columns, vocabulary, ngrams: { buckets } }: TextFeatures,
  labels: number,
  widths: ModelWidths,
): void {
  const needed = embeddingBytes(columns, widths) + outputBytes(labels, widths);
  const memory = availableMemory();
  if (needed <= memory) return;
  throw new SparseDataError(
    'record-too-long',
    `${path}: a model of ${count(vocabulary.size)} words, ${count(buckets)} buckets of n-grams (${bytes(embeddingBytes(buckets, widths))} with ${widths.moments} moments a number) and ${count(labels)} labels takes ${bytes(needed)}, and this machine has ${bytes(memory)} of memory; take fewer --buckets, a smaller --embedding, a higher --min-count, or --optimizer sgd, which has no moments`,
  );
}

function withoutLabel({ offsets, rows }: LabelledRows['targets']): number {
  let points = 0;
  for (let row = 0; row < rows; row++) if (offsets[row] === offsets[row + 1]) points++;
  return points;
}

/**
 * @param names of the labels, of texts and of vectors.
 * @param what has names.
 * @throws SparseDataError `empty-input` when no example has a label.
 */
export function checkSomeLabels(
  path: string,
  { targets }: Pick<LabelledRows, 'targets'>,
  names?: ArrayLike<LabelName>,
  what: 'texts' | 'examples' = 'texts',
): void {
  if (withoutLabel(targets) < targets.rows) return;
  throw new SparseDataError(
    'empty-input',
    names === undefined
      ? `${path}: none of its ${count(targets.rows)} points has a label, so there is nothing to compare with; a line is \`label,label feature:value …\`, without white space before the labels`
      : `${path}: none of its ${count(targets.rows)} ${what} has one of the ${count(names.length)} labels, so there is nothing to compare with; ${what === 'texts' ? 'are the format, the label column and the label prefix right?' : 'is the separator of labels right?'}`,
  );
}

/**
 * Warns of examples without labels, and of a header that says many more labels than there are.
 * @param names of the labels, of texts and of vectors.
 * @param named what has names.
 * @throws SparseDataError `empty-input` when there is nothing to learn: fewer than two different labels.
 */
export function checkTrainingLabels(
  path: string,
  rows: Pick<LabelledRows, 'targets'>,
  names?: ArrayLike<LabelName>,
  named: 'texts' | 'examples' = 'texts',
): void {
  const { targets } = rows;
  checkSomeLabels(path, rows, names, named);
  let occurring = 0;
  let last = -1;
  for (const [label, times] of columnCounts(targets).entries()) {
    if (times === 0) continue;
    occurring++;
    last = label;
  }
  const what = names === undefined ? 'points' : named;
  if (occurring === 1 || targets.columns < 2)
    throw new SparseDataError(
      'empty-input',
      `${path}: label ${names === undefined ? last : JSON.stringify(names[last])} is the only one that its ${what} have; at least 2 different ones are needed to have something to learn`,
    );
  const unlabelled = withoutLabel(targets);
  if (unlabelled > 0)
    warn(
      `${count(unlabelled)} of the ${count(targets.rows)} ${what} of ${path} have no label; they are ${names === undefined ? 'trained on as points that none is right for' : 'left out'}`,
    );
  if (names === undefined && targets.columns > 1000 && targets.columns > 100 * occurring)
    warn(
      `the first line of ${path} says ${count(targets.columns)} labels, of which its points have ${count(occurring)}; is the line right?`,
    );
}
