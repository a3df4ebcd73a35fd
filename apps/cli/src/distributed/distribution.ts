/**
 * Training over the ranks of a job, as far as the models' parts know of it: an output layer whose classes are shared out, the body's gradients added up, and each
 * rank's part of every minibatch. What cannot be had so is refused before anything is read.
 */
import { createDistributedFactoredLayer, createVocabularyParallelSoftmax, DataParallel, type Communicator, type DataParallelOptions } from '@vastmax/distributed-mpi';
import type { Backend } from '@vastmax/linalg-core';
import { createUpdateRule, logUnigram, type OutputLayerChoice, type OutputLayerFactory } from '@vastmax/lm-models';
import { createBuiltInLoss } from '@vastmax/spherical-losses';
import type { TextModelOptions } from '../text-model.ts';
import { UsageError } from '../usage-error.ts';

export interface Distribution extends Disposable {
  readonly communicator: Communicator;
  readonly ranks: DataParallel;
  readonly createOutput: OutputLayerFactory;
}

/** @param options of the body's replicas. */
export function createDistribution(communicator: Communicator, backend: Backend, options: DataParallelOptions = {}): Distribution {
  const ranks = new DataParallel(communicator, backend, options);
  return {
    communicator,
    ranks,
    createOutput: (_backend, { features, frequencies }, choice) => {
      checkOutput(choice);
      const { initialScale, seed } = choice;
      const common = { classes: frequencies.length, features, initialScale, seed };
      if (choice.kind === 'full') {
        const { rule } = choice;
        return createVocabularyParallelSoftmax(communicator, backend, {
          ...common,
          initialBiases: logUnigram(frequencies),
          ...(rule === undefined ? {} : { rule: createUpdateRule(rule.name, rule.options) }),
        });
      }
      const { loss, weightDecay } = choice;
      return createDistributedFactoredLayer(communicator, backend, {
        ...common,
        loss: createBuiltInLoss(loss.name, loss.options),
        ...(weightDecay === undefined ? {} : { weightDecay }),
      });
    },
    [Symbol.dispose]: () => { ranks[Symbol.dispose](); },
  };
}

/** @throws UsageError for a model that only one process can train, with what works. */
export function checkDistributable({ body, output }: TextModelOptions): void {
  if ((body.dropout ?? 0) > 0) throw new UsageError('--distributed trains without --dropout: its random numbers belong to one process; leave it out, and see --weight-decay');
  checkOutput(output);
}

function checkOutput(output: OutputLayerChoice): asserts output is Extract<OutputLayerChoice, { readonly kind: 'factored' | 'full' }> {
  if (output.kind !== 'factored' && output.kind !== 'full') {
    throw new UsageError(`--distributed has no output layer '${output.kind}' over several ranks; use --output-layer factored, with any of its losses, or full`);
  }
  if (output.kind === 'full' && (output.labelSmoothing ?? 0) > 0) throw new UsageError('--distributed has no --label-smoothing; leave it out');
}
