/** A classifier of points as the commands use it: its network, and which label each of its classes is. */
import type { Backend } from '@vastmax/linalg-core';
import { loadBagNetwork, type BagNetwork } from '@vastmax/lm-models';
import type { XmcShape } from '@vastmax/sparse-data/records';
import { UsageError } from '../usage-error.ts';
import type { JsonObject } from '@vastmax/linalg-core/state';
import type { Checkpoint } from '@vastmax/checkpoints';

export interface LabelModel extends Disposable {
  readonly network: BagNetwork;
  /** The file's label of each class. */
  readonly order: Int32Array;
  readonly shape: XmcShape;
  /** That it was trained on. */
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

/** @throws UsageError for a checkpoint that is damaged in a way that its checksums cannot tell. */
export async function loadLabelModel(backend: Backend, checkpoint: Checkpoint): Promise<LabelModel> {
  const { configuration, location: directory } = checkpoint;
  const network = await loadBagNetwork(backend, checkpoint);
  return labelModelOf(
    network,
    readLabelOrder(checkpoint.text(labelsText), network.output.classes, directory),
    Number(configuration['points']),
  );
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
  const order: unknown = JSON.parse(text);
  const isOrder =
    Array.isArray(order) &&
    order.length === classes &&
    new Set(order).size === classes &&
    order.every((label) => Number.isSafeInteger(label) && label >= 0 && label < classes);
  if (!isOrder)
    throw new UsageError(
      `${directory}: ${labelsText} is no list of the ${classes} labels; was it written by vastmax train?`,
    );
  return Int32Array.from(order as number[]);
}
