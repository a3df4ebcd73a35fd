/** What is wrong or suspicious with the labels of a file of points, before anything is trained or evaluated on them. */
import { totalmem } from 'node:os';
import { columnCounts, SparseDataError } from '@vastmax/sparse-data';
import type { XmcRows, XmcShape } from '@vastmax/sparse-data/records';
import { bytes, count, warn } from '../terminal/terminal.ts';

/** The list of labels in a checkpoint is one string, of fewer than 2^29 characters. */
const maxLabels = 40_000_000;

/** Numbers per label, and per feature, of the smallest model with these options. */
export interface ModelWidths {
  readonly embedding: number;
  readonly output: number;
  readonly bytesPerNumber: number;
}

/** @throws SparseDataError `record-too-long` for a header whose labels or features fit no model on this machine. */
export function checkHeader(path: string, { features, labels }: XmcShape, widths: ModelWidths): void {
  const fail = (problem: string): never => {
    throw new SparseDataError(
      'record-too-long',
      `${path}: its first line says ${count(features)} features and ${count(labels)} labels: ${problem}; is the line right?`,
    );
  };
  if (labels > maxLabels) return fail(`a classifier has at most ${count(maxLabels)} labels`);
  // Besides its vector a label has a count, a place in the order of labels, and a place in that of classes.
  const needed = widths.bytesPerNumber * (features * widths.embedding + labels * widths.output) + 32 * labels;
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  if (needed > memory)
    return fail(`the model alone takes ${bytes(needed)}, and this machine has ${bytes(memory)} of memory`);
}

function withoutLabel({ offsets, rows }: XmcRows['targets']): number {
  let points = 0;
  for (let row = 0; row < rows; row++) if (offsets[row] === offsets[row + 1]) points++;
  return points;
}

/** @throws SparseDataError `empty-input` when no point has a label. */
export function checkSomeLabels(path: string, { targets }: XmcRows): void {
  if (withoutLabel(targets) < targets.rows) return;
  throw new SparseDataError(
    'empty-input',
    `${path}: none of its ${count(targets.rows)} points has a label, so there is nothing to compare with; a line is \`label,label feature:value …\`, without white space before the labels`,
  );
}

/**
 * Warns of points without labels, and of a header that says many more labels than there are.
 * @throws SparseDataError `empty-input` when there is nothing to learn: fewer than two different labels.
 */
export function checkTrainingLabels(path: string, rows: XmcRows): void {
  const { targets } = rows;
  checkSomeLabels(path, rows);
  let occurring = 0;
  let last = -1;
  for (const [label, times] of columnCounts(targets).entries()) {
    if (times === 0) continue;
    occurring++;
    last = label;
  }
  if (occurring === 1 || targets.columns < 2)
    throw new SparseDataError(
      'empty-input',
      `${path}: label ${last} is the only one that its points have; at least 2 different ones are needed to have something to learn`,
    );
  const unlabelled = withoutLabel(targets);
  if (unlabelled > 0)
    warn(
      `${count(unlabelled)} of the ${count(targets.rows)} points of ${path} have no label; they are trained on as points that none is right for`,
    );
  if (targets.columns > 1000 && targets.columns > 100 * occurring)
    warn(
      `the first line of ${path} says ${count(targets.columns)} labels, of which its points have ${count(occurring)}; is the line right?`,
    );
}
