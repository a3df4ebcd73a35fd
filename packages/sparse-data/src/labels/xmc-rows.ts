import { createCsrRows } from '../csr/csr-rows.ts';
import { SparseDataError } from '../errors.ts';
import type { XmcPoint, XmcRows } from './parse-xmc.ts';

/**
 * Points, such as those of a minibatch, as rows of inputs and of targets, in new arrays. Cost: O(entries).
 * @throws SparseDataError `empty-input` for no points, `shape` if the points have different shapes.
 */
export function xmcRows(points: readonly XmcPoint[]): XmcRows {
  const shape = points[0]?.shape;
  if (shape === undefined)
    throw new SparseDataError('empty-input', 'xmcRows: there are no points; at least 1 is needed');
  const inputOffsets = new Int32Array(points.length + 1);
  const targetOffsets = new Int32Array(points.length + 1);
  points.forEach((point, row) => {
    const other = point.shape;
    if (other.features !== shape.features || other.labels !== shape.labels) {
      throw new SparseDataError(
        'shape',
        `xmcRows: point ${row} is of ${other.features} features and ${other.labels} labels, point 0 of ${shape.features} and ${shape.labels}; they must be equal`,
      );
    }
    inputOffsets[row + 1] = inputOffsets[row]! + point.features.length;
    targetOffsets[row + 1] = targetOffsets[row]! + point.labels.length;
  });
  const indices = new Int32Array(inputOffsets[points.length]!);
  const values = new Float64Array(indices.length);
  const classes = new Int32Array(targetOffsets[points.length]!);
  points.forEach((point, row) => {
    indices.set(point.features, inputOffsets[row]!);
    values.set(point.values, inputOffsets[row]!);
    classes.set(point.labels, targetOffsets[row]!);
  });
  return {
    inputs: createCsrRows(points.length, shape.features, inputOffsets, indices, values),
    targets: createCsrRows(points.length, shape.labels, targetOffsets, classes),
  };
}
