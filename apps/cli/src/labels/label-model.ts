/** The points of an XMC file, in memory, for a classifier of given features. */
import { createHash } from 'node:crypto';
import type { LabelledRows } from '@vastmax/lm-models/labels';
import { columnCounts, columnsByFrequency, renumberColumns, SparseDataError } from '@vastmax/sparse-data';
import { inputName, type LabelledInput } from '@vastmax/sparse-data/node';
import {
  linesOfBlocks,
  parseXmc,
  xmcRows,
  type XmcPoint,
  type XmcRows,
  type XmcShape,
} from '@vastmax/sparse-data/records';
import { count, Progress } from '../terminal/terminal.ts';

/** Tells a progress bar how many bytes of a file were read; a reader calls `onProgress`. */
export interface ReadingProgress extends Disposable {
  readonly onProgress: (read: number, total: number) => void;
  done: number;
}

/** @param what is counted: points or texts. */
export function createReadingProgress(what: string): ReadingProgress {
  const progress = new Progress(`reading ${what}`);
  const reading: ReadingProgress = {
    done: 0,
    onProgress: (read, total) => {
      progress.update(read / total, reading.done === 0 ? [] : [`${count(reading.done)} ${what}`]);
    },
    [Symbol.dispose]: () => {
      progress[Symbol.dispose]();
    },
  };
  return reading;
}

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
  const points: XmcPoint[] = [];
  for await (const point of parseXmc(linesOfBlocks(blocks), { name: inputName(path) })) {
    if (points.length === 0) check(point.shape);
    points.push(point);
    progress.done = points.length;
  }
  return xmcRows(points);
}

/** The file's label of each class, the most frequent first. */
export function labelOrder({ targets }: XmcRows): Int32Array {
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

/** SHA-256 of a data set, in hexadecimal. */
export function fingerprintOfRows({ inputs, targets }: LabelledRows): string {
  const hash = createHash('sha256');
  for (const { offsets, indices, values } of [inputs, targets]) {
    hash.update(offsets).update(indices);
    if (values !== undefined) hash.update(values);
  }
  return hash.digest('hex');
}
