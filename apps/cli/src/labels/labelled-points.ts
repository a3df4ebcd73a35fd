/**
 * Labelled points of an XMC file in memory, labels numbered by falling frequency, as output layers with frequent
 * classes apart want them.
 */
import { createHash } from 'node:crypto';
import { columnCounts, columnsByFrequency, renumberColumns, SparseDataError } from '@vastmax/sparse-data';
import { xmcRows, type XmcPoint, type XmcRows, type XmcShape } from '@vastmax/sparse-data/records';
import { readXmc } from '@vastmax/sparse-data/node';
import { count } from '../display.ts';
import { Progress } from '../progress.ts';

/** @throws SparseDataError naming the line that is none, `empty-input` for a file without points. */
export async function readPoints(path: string, signal: AbortSignal): Promise<XmcRows> {
  using progress = new Progress('reading points');
  const points: XmcPoint[] = [];
  for await (const point of readXmc(path, {
    signal,
    onProgress: (read, total) => {
      progress.update(read / total, [`${count(points.length)} points`]);
    },
  }))
    points.push(point);
  return xmcRows(points);
}

/** The file's label of each class, the most frequent first. */
export function labelOrder({ targets }: XmcRows): Int32Array {
  return columnsByFrequency(columnCounts(targets));
}

export function withLabelsInOrder({ inputs, targets }: XmcRows, order: Int32Array): XmcRows {
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

/** Tells one data set from another, in hexadecimal. */
export function fingerprintOfPoints({ inputs, targets }: XmcRows): string {
  const hash = createHash('sha256');
  for (const { offsets, indices, values } of [inputs, targets]) {
    hash.update(offsets).update(indices);
    if (values !== undefined) hash.update(values);
  }
  return hash.digest('hex');
}
