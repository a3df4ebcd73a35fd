/** The full softmax over all ranks, each with its part of minibatches that the seed gives. */
import type { Communicator } from '@vastmax/collectives';
import { createVocabularyParallelSoftmax, type VocabularyParallelSoftmaxOptions } from '@vastmax/distributed-layers';
import { createPlainBackend, type Precision } from '@vastmax/linalg-core';
import { createUpdateRule } from '@vastmax/update-rules';
import { plainState, type PlainState } from './small-layer.ts';
import { classes, features, trainGlobalBatches, type GlobalAnswer, type GlobalTraining } from './global-training.ts';

export interface SoftmaxRequest extends GlobalTraining {
  readonly precision: Precision;
  readonly rule: string;
  readonly bias: boolean;
  /** Classes of a block; 7 of 53 unless given. */
  readonly blockClasses?: number;
}

export interface SoftmaxAnswer extends GlobalAnswer {
  readonly state: PlainState;
}

export const softmaxOptions = ({ rule, bias }: SoftmaxRequest): VocabularyParallelSoftmaxOptions => ({
  classes,
  features,
  bias,
  initialScale: 0.4,
  seed: 4,
  ...(bias ? { initialBiases: Float64Array.from({ length: classes }, (_, k) => -0.05 * k) } : {}),
  rule: createUpdateRule(rule),
});

export async function softmax(communicator: Communicator, request: SoftmaxRequest): Promise<SoftmaxAnswer> {
  const backend = createPlainBackend({ precision: request.precision });
  using layer = await createVocabularyParallelSoftmax(communicator, backend, {
    ...softmaxOptions(request),
    blockClasses: request.blockClasses ?? 7,
  });
  const answer = await trainGlobalBatches(communicator, layer, request);
  return { ...answer, state: await plainState(layer.state()) };
}
