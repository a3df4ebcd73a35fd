/** What a step moves, for tables of different heights. */
import type { Communicator } from '@vastmax/collectives';
import {
  createDistributedFactoredLayer,
  createDistributedHybridLayer,
  createShardedSampledSoftmax,
} from '@vastmax/distributed-layers';
import { createMatrixFrom, createPlainBackend, type Backend } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import { createUniformProposal } from '@vastmax/softmax-losses';
import { csrFromLists } from '@vastmax/sparse-data';
import { zLoss } from '@vastmax/spherical-losses';

export interface StepTraffic {
  readonly bytes: number;
  readonly messages: number;
}

export interface TrafficRequest {
  readonly heights: readonly number[];
  readonly layer: 'factored' | 'sampled' | 'hybrid';
}

const width = 16;
/** Of the hybrid layer: classes in the head, and nodes of the root. */
const headSize = 10;
const nodes = 30;

function createLayer(
  communicator: Communicator,
  backend: Backend,
  classes: number,
  layer: TrafficRequest['layer'],
): Promise<OutputLayer & Disposable> {
  const options = { classes, features: width, bias: false, initialScale: 0.3 };
  // Draws from so many classes whatever the height is, so that as many distinct ones come out.
  if (layer === 'sampled')
    return createShardedSampledSoftmax(communicator, backend, {
      ...options,
      samples: 40,
      proposal: { ...createUniformProposal(200), classes },
    });
  if (layer === 'hybrid')
    return createDistributedHybridLayer(communicator, backend, {
      features: width,
      frequencies: new Float64Array(classes).fill(1),
      headSize,
      shortlist: 0,
      fanOut: 10,
      levels: Math.round(Math.log10((classes - headSize) / nodes)),
      checkEvery: 0,
    });
  return createDistributedFactoredLayer(communicator, backend, { ...options, loss: zLoss(), checkEvery: 0 });
}

export async function traffic(
  communicator: Communicator,
  { heights, layer: kind }: TrafficRequest,
): Promise<StepTraffic[]> {
  const { rank } = communicator;
  const measured: StepTraffic[] = [];
  for (const classes of heights) {
    const backend = createPlainBackend();
    using layer = await createLayer(communicator, backend, classes, kind);
    using hidden = createMatrixFrom(
      backend,
      4,
      width,
      Float64Array.from({ length: 4 * width }, (_, i) => Math.sin(i + rank)),
    );
    // In a tree the same nodes of the root, whatever is below them: so each target has the same owner.
    const leaves = (classes - headSize) / nodes;
    const placed = (target: number): number =>
      kind === 'hybrid' && target >= headSize ? headSize + (target % nodes) * leaves : target;
    const targets = csrFromLists(
      [[1, 50], [2], [3 + rank, 1], [99]].map((list) => list.map(placed)),
      classes,
    );
    const before = communicator.traffic;
    for (let step = 0; step < 10; step++) await layer.step(hidden, targets, { learningRate: 0.1 });
    const after = communicator.traffic;
    measured.push({
      bytes: (after.bytesSent - before.bytesSent) / 10,
      messages: (after.messagesSent - before.messagesSent) / 10,
    });
  }
  return measured;
}
