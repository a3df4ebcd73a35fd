/** What a step moves, for tables of different heights. */
import { createDistributedFactoredLayer, type Communicator } from '@vastmax/distributed-mpi';
import { createMatrixFrom, createPlainBackend } from '@vastmax/linalg-core';
import { csrFromLists } from '@vastmax/sparse-data';
import { zLoss } from '@vastmax/spherical-losses';

export interface StepTraffic {
  readonly bytes: number;
  readonly messages: number;
}

export async function traffic(communicator: Communicator, { heights }: { readonly heights: readonly number[] }): Promise<StepTraffic[]> {
  const { rank } = communicator;
  const width = 16;
  const measured: StepTraffic[] = [];
  for (const classes of heights) {
    const backend = createPlainBackend();
    using layer = await createDistributedFactoredLayer(communicator, backend, { classes, features: width, bias: false, loss: zLoss(), initialScale: 0.3, checkEvery: 0 });
    using hidden = createMatrixFrom(backend, 4, width, Float64Array.from({ length: 4 * width }, (_, i) => Math.sin(i + rank)));
    const targets = csrFromLists([[1, 50], [2], [3 + rank, 1], [99]], classes);
    const before = communicator.traffic;
    for (let step = 0; step < 10; step++) await layer.step(hidden, targets, { learningRate: 0.1 });
    const after = communicator.traffic;
    measured.push({ bytes: (after.bytesSent - before.bytesSent) / 10, messages: (after.messagesSent - before.messagesSent) / 10 });
  }
  return measured;
}
