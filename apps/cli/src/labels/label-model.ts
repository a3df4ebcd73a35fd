/**
 * A classifier of labelled points: its network, the label of each of its classes, and the points of an XMC file, in
 * memory. Classes are labels in order of descending frequency, as output layers need that treat frequent classes
 * separately.
 */
import { createHash } from 'node:crypto';
import type { Backend } from '@vastmax/linalg-core';
import { loadNetwork, type BagNetwork } from '@vastmax/lm-models';
import { columnCounts, columnsByFrequency, renumberColumns, SparseDataError } from '@vastmax/sparse-data';
import { readXmc } from '@vastmax/sparse-data/node';
import { UsageError } from '../terminal/errors.ts';
import { count, Progress } from '../terminal/terminal.ts';
import { checkSomeLabels } from './check-labels.ts';
import { xmcRows, type XmcPoint, type XmcRows, type XmcShape } from '@vastmax/sparse-data/records';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { parseJson, type Checkpoint } from '@vastmax/checkpoints';

export interface LabelModel extends Disposable {
  readonly network: BagNetwork;
  /** The file's label of each class. */
  readonly order: Int32Array;
  readonly shape: XmcShape;
  /** How many points it was trained on. */
  readonly points: number;
}

export const labelsText = 'labels.json';

/** Whether a checkpoint's configuration is that of a classifier. */
export function isLabelModel({ exampleSettings }: JsonObject): boolean {
  return (
    typeof exampleSettings === 'object' &&
    exampleSettings !== null &&
    'model' in exampleSettings &&
    exampleSettings['model'] === 'classifier'
  );
}

/** @throws UsageError for a checkpoint that is damaged in a way that its checksums do not detect. */
export async function loadLabelModel(backend: Backend, checkpoint: Checkpoint): Promise<LabelModel> {
  const { configuration, location: directory } = checkpoint;
  const { points } = configuration;
  if (typeof points !== 'number' || !Number.isSafeInteger(points) || points < 0)
    throw new UsageError(
      `${directory}: the checkpoint does not say on how many points it was trained; was it written by vastmax train?`,
    );
  const network = await loadNetwork(backend, checkpoint, { kind: 'bag' });
  try {
    const order = readLabelOrder(checkpoint.text(labelsText), network.output.classes, directory);
    return labelModelOf(network, order, points);
  } catch (error) {
    network[Symbol.dispose]();
    throw error;
  }
}

export function labelModelOf(network: BagNetwork, order: Int32Array, points: number): LabelModel {
  return {
    network,
    order,
    shape: { features: network.sizes.inputs, labels: order.length },
    points,
    [Symbol.dispose]: () => {
      network[Symbol.dispose]();
    },
  };
}

function readLabelOrder(text: string, classes: number, directory: string): Int32Array {
  const refuse = (cause?: unknown): never => {
    throw new UsageError(
      `${directory}: ${labelsText} is no list of the ${classes} labels; was it written by vastmax train?`,
      { cause },
    );
  };
  const order = parseJson(text, { depth: 1, values: classes + 1 }, (_, cause) => refuse(cause));
  const isOrder =
    Array.isArray(order) &&
    order.length === classes &&
    new Set(order).size === classes &&
    order.every((label) => Number.isSafeInteger(label) && label >= 0 && label < classes);
  if (!isOrder) return refuse();
  return Int32Array.from(order as number[]);
}

/**
 * @param check is called with the numbers of the header before anything is made of them.
 * @throws SparseDataError naming an invalid line; `empty-input` for a file without points.
 */
export async function readPoints(
  path: string,
  signal: AbortSignal,
  check: (shape: XmcShape) => void,
): Promise<XmcRows> {
  using progress = new Progress('reading points');
  const points: XmcPoint[] = [];
  for await (const point of readXmc(path, {
    signal,
    onProgress: (read, total) => {
      progress.update(read / total, [`${count(points.length)} points`]);
    },
  })) {
    if (points.length === 0) check(point.shape);
    points.push(point);
  }
  return xmcRows(points);
}

/** Points of the shape of a model, to evaluate it on. @throws as readPoints, checkShape and checkSomeLabels. */
export async function readLabelledPoints(path: string, signal: AbortSignal, model: XmcShape): Promise<XmcRows> {
  const points = await readPoints(path, signal, (shape) => {
    checkShape(path, shape, model);
  });
  checkSomeLabels(path, points);
  return points;
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

/** SHA-256 of a data set, in hexadecimal. */
export function fingerprintOfPoints({ inputs, targets }: XmcRows): string {
  const hash = createHash('sha256');
  for (const { offsets, indices, values } of [inputs, targets]) {
    hash.update(offsets).update(indices);
    if (values !== undefined) hash.update(values);
  }
  return hash.digest('hex');
}
