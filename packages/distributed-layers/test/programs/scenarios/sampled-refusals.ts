/** What one rank must refuse of a sampled layer. */
import type { Communicator } from '@vastmax/collectives';
import { createShardedSampledSoftmax } from '@vastmax/distributed-layers';
import { createMatrixFrom, createPlainBackend } from '@vastmax/linalg-core';
import type { FixedProposal } from '@vastmax/softmax-losses';
import { csrFromLists, type CsrRows } from '@vastmax/sparse-data';
import { createAttempts, type Refusal } from './attempts.ts';
import { sampledOptions, type SampledRequest } from './sampled.ts';
import { classes, createGlobalTraining, features, vectorsOf } from './global-training.ts';

export interface SampledRefusals {
  readonly found: readonly Refusal[];
  /** After all that, and the steps in between. */
  readonly weights: readonly number[];
  /** The same training without the refusals. */
  readonly request: SampledRequest;
}

export async function sampledRefusals(communicator: Communicator): Promise<SampledRefusals> {
  const request = { loss: 'sampled', proposal: 'uniform', rule: 'sgd', bias: true, precision: 'f64' } as const;
  const options = sampledOptions({ ...request, steps: 0 });
  let mood: 'good' | 'throws' | 'strays' = 'good';
  const proposal: FixedProposal = {
    ...options.proposal,
    draw: (count, random, classesOut, offset) => {
      if (mood === 'throws') throw new RangeError('the proposal ran into a bug');
      if (mood === 'strays') random.uniform();
      options.proposal.draw(count, random, classesOut, offset);
    },
  };
  const backend = createPlainBackend({ precision: 'f64' });
  using layer = await createShardedSampledSoftmax(communicator, backend, { ...options, proposal });
  const train = createGlobalTraining(communicator, layer);
  await train(5);
  const { found, attempt } = createAttempts(layer, train, vectorsOf);
  const step = async (values: number, targets: CsrRows, rate = 0.01): Promise<unknown> => {
    using hidden = createMatrixFrom(
      backend,
      targets.rows,
      features,
      new Float64Array(targets.rows * features).fill(values),
    );
    return await layer.step(hidden, targets, { learningRate: rate });
  };
  const good = csrFromLists([[1], [2, 5]], classes);
  const outOfRange: CsrRows = { ...good, indices: Int32Array.of(1, 2, classes) };
  const inMood = async (own: typeof mood): Promise<void> => {
    mood = own;
    await step(0.1, good).finally(() => (mood = 'good'));
  };

  await attempt('nan', 1, (isBad) => step(isBad ? Number.NaN : 0.1, good));
  await attempt('overflow', 2, (isBad) => step(isBad ? 1e308 : 0.1, good));
  await attempt('class', 2, (isBad) => step(0.1, isBad ? outOfRange : good));
  await attempt('rate', 0, (isBad) => step(0.1, good, isBad ? -1 : 0.01));
  await attempt('rates differ', 1, (isBad) => step(0.1, good, isBad ? 0.02 : 0.01));
  await attempt('proposal', 1, (isBad) => inMood(isBad ? 'throws' : 'good'));
  await attempt('samples', 2, (isBad) => inMood(isBad ? 'strays' : 'good'));
  await attempt('evaluate', 1, async (isBad) => {
    using hidden = backend.createMatrix(2, features);
    await layer.evaluate(hidden, isBad ? outOfRange : good);
  });
  await attempt('other call', 2, async (isBad) => {
    using hidden = backend.createMatrix(2, features);
    if (isBad) await layer.evaluate(hidden, good);
    else await layer.step(hidden, good, { learningRate: 0.01 });
  });
  await attempt('state', 0, (isBad) => {
    const state = layer.state();
    return layer.restore(isBad ? { ...state, configuration: { ...state.configuration, kind: 'factored' } } : state);
  });
  return { found, weights: await vectorsOf(layer), request: { ...request, steps: 5 + found.length } };
}
