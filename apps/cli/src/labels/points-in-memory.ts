/** The points of an XMC file, in memory, for a classifier of given features. */
import { createHash } from 'node:crypto';
import type { LabelledRows } from '@vastmax/lm-models/labels';
import { columnCounts, columnsByFrequency, renumberColumns, SparseDataError } from '@vastmax/sparse-data';
import { inputName, type LabelledInput } from '@vastmax/sparse-data/node';
import { parseXmcRows, type XmcRows, type XmcShape } from '@vastmax/sparse-data/records';
import { count } from '../terminal/terminal.ts';
import type { ReadingProgress } from './reading-progress.ts';

/**
 * @param check is called with the numbers of the header before anything is made of them.
 * @throws SparseDataError naming an invalid line; `empty-input` for a file without points.
 */
export async function readPoints(
  path: string,
  { blocks }: LabelledInput,
  progress: ReadingProgress,
  check: (shape: XmcShape) => void,
): Promise<XmcRows> {
  const batches = parseXmcRows(blocks, {
    name: inputName(path),
    onShape: check,
    onPoints: (points) => {
      progress.done = points;
    },
  });
  for await (const { inputs, targets } of batches) return { inputs, targets };
  throw new SparseDataError('empty-input', `${path}: there are no points; at least 1 is needed`);
}

/** The file's label of each class, the most frequent first. */
export function labelOrder({ targets }: Pick<XmcRows, 'targets'>): Int32Array {
  return columnsByFrequency(columnCounts(targets));
}

export function withLabelsInOrder({ inputs, targets }: XmcRows, order: Int32Array): LabelledRows {
  return { inputs, targets: renumberColumns(targets, order) };
}

/** @throws SparseDataError `shape` for points of another data set than the model's. */
export function checkShape(path: string, points: XmcShape, model: XmcShape): void {
  if (points.features === model.features && points.labels === model.labels) return;
  throw new SparseDataError(
    'shape',
    `${path} has points of ${count(points.features)} features and ${count(points.labels)} labels, the model is of ${count(model.features)} and ${count(model.labels)}; the first lines of both files must name the same numbers`,
  );
}

/** SHA-256 of a data set, in hexadecimal: the same whether inputs that are all 1 have values or not. */
export function fingerprintOfRows({ inputs, targets }: LabelledRows): string {
  const hash = createHash('sha256');
  hash.update(inputs.offsets).update(inputs.indices);
  if (inputs.values !== undefined) hash.update(inputs.values);
  else
    for (let left = inputs.indices.length; left > 0; left -= ones.length)
      hash.update(ones.subarray(0, Math.min(left, ones.length)));
  hash.update(targets.offsets).update(targets.indices);
  if (targets.values !== undefined) hash.update(targets.values);
  return hash.digest('hex');
}
const ones = new Float64Array(4096).fill(1);
