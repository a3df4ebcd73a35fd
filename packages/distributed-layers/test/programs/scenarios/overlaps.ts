/**
 * Pairs of collective calls, the second started before the first has ended, after another number of microtasks on each
 * rank: one is still busy, and another is not.
 */
import type { Communicator } from '@vastmax/collectives';
import {
  createShardedSampledSoftmax,
  createVocabularyParallelSoftmax,
  type DistributedFactoredLayer,
} from '@vastmax/distributed-layers';
import { createMatrixFrom, createPlainBackend, read, type Matrix } from '@vastmax/linalg-core';
import { isOutputLayerError, type OutputLayer } from '@vastmax/output-layer';
import { singleTargets, type CsrRows } from '@vastmax/sparse-data';
import { classes, constantsLoss, createSmallLayer, moduleState, plainState, width } from './small-layer.ts';

export type OverlapLayer = 'factored' | 'softmax' | 'sampled';

/** What one rank saw of one pair; results and weights as text. */
export interface ObservedPair {
  readonly what: string;
  readonly delay: number;
  readonly first: string;
  readonly second: string;
  readonly weights: string;
  readonly firstAlone: string;
  readonly secondAfter: string;
  readonly weightsAfterFirst: string;
  readonly weightsAfterBoth: string;
}

/** Microtasks on rank 0 and on rank 1. */
const delays = [
  [0, 0],
  [0, 40],
  [40, 0],
  [3, 7],
  [200, 200],
] as const;

type Layer = OutputLayer & Partial<Pick<DistributedFactoredLayer, 'topK' | 'ranksOf' | 'verify' | 'materialize'>>;

async function createLayer(communicator: Communicator, kind: OverlapLayer): Promise<Layer> {
  const backend = createPlainBackend({ precision: 'f64' });
  const options = { classes, features: width, bias: false, initialScale: 0.4, seed: 4 };
  if (kind === 'softmax') return createVocabularyParallelSoftmax(communicator, backend, options);
  if (kind === 'sampled') return createShardedSampledSoftmax(communicator, backend, { ...options, samples: 20 });
  return createSmallLayer(communicator, { loss: constantsLoss() }, backend);
}

export async function overlaps(
  communicator: Communicator,
  { layer: kind }: { readonly layer: OverlapLayer },
): Promise<ObservedPair[]> {
  const { rank } = communicator;
  using layer = await createLayer(communicator, kind);
  const inputs = [2 + rank, 3 - rank].map((examples, i): { hidden: Matrix; targets: CsrRows; chosen: Int32Array } => {
    const chosen = Int32Array.from({ length: examples }, (_, j) => (7 * j + 3 * i + rank) % classes);
    const values = Float64Array.from({ length: examples * width }, (_, j) => Math.sin(j + 5 * i + 11 * rank));
    return {
      hidden: createMatrixFrom(layer.backend, examples, width, values),
      targets: singleTargets(chosen, classes),
      chosen,
    };
  });
  const stepOf = async (i: number): Promise<unknown> => {
    const { hidden, targets } = inputs[i]!;
    return layer
      .step(hidden, targets, { learningRate: 0.05 })
      .then(({ losses, hiddenGradient }) => Promise.all([read(losses), read(hiddenGradient)]));
  };
  await stepOf(0);
  const start = moduleState(await plainState(layer.state()));
  await stepOf(1);
  const other = moduleState(await plainState(layer.state()));
  const calls: readonly (readonly [name: string, start: (i: number) => unknown])[] = [
    ['step', stepOf],
    ['evaluate', (i) => layer.evaluate(inputs[i]!.hidden, inputs[i]!.targets).then((losses) => read(losses))],
    ['restore', () => layer.restore(other)],
    ...(layer.topK === undefined
      ? []
      : ([
          ['topK', (i: number) => layer.topK?.(inputs[i]!.hidden, 3)],
          ['ranksOf', (i: number) => layer.ranksOf?.(inputs[i]!.hidden, inputs[i]!.chosen)],
          ['verify', () => layer.verify?.()],
          ['materialize', () => layer.materialize?.()],
        ] as const)),
  ];
  const found: ObservedPair[] = [];
  const weights = async (): Promise<string> => textOf((await plainState(layer.state())).tensors);
  for (const [firstName, first] of calls) {
    await layer.restore(start);
    const firstAlone = await outcomeOf(() => first(0));
    const weightsAfterFirst = await weights();
    for (const [secondName, second] of calls) {
      await layer.restore(start);
      await outcomeOf(() => first(0));
      const secondAfter = await outcomeOf(() => second(1));
      const weightsAfterBoth = await weights();
      for (const pair of delays) {
        const delay = pair[rank === 0 ? 0 : 1];
        await layer.restore(start);
        const running = outcomeOf(() => first(0));
        for (let turn = 0; turn < delay; turn++) await undefined;
        const [firstOutcome, secondOutcome] = await Promise.all([running, outcomeOf(() => second(1))]);
        found.push({
          what: `${firstName}, then ${secondName} after ${pair.join(' and ')}`,
          delay,
          first: firstOutcome,
          second: secondOutcome,
          weights: await weights(),
          firstAlone,
          secondAfter,
          weightsAfterFirst,
          weightsAfterBoth,
        });
      }
    }
  }
  for (const { hidden } of inputs) hidden[Symbol.dispose]();
  return found;
}

async function outcomeOf(start: () => unknown): Promise<string> {
  try {
    return textOf(await start());
  } catch (error) {
    if (isOutputLayerError(error)) return error.code;
    throw error;
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    ArrayBuffer.isView(each) ? Array.from(each as Float64Array) : each,
  );
}
