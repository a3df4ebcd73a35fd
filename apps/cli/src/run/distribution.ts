/**
 * Training over the ranks of a job: an output layer whose classes are sharded, sums of the body's gradients, and each
 * rank's part of every minibatch. A model that cannot be trained over ranks is rejected before any data is read.
 */
import type { Communicator } from '@vastmax/collectives';
import {
  BatchParts,
  createSequenceSlice,
  DataParallel,
  sliceNgramBatch,
  sliceSparseBatch,
  type DataParallelOptions,
  createDistributedOutput,
} from '@vastmax/lm-models/distributed';
import type { TextBatch } from '@vastmax/lm-models/text';
import type { Backend } from '@vastmax/linalg-core';
import {
  type BatchSource,
  type NetworkOptions,
  type OutputLayerChoice,
  type OutputLayerFactory,
  outputLayerOf,
  outputLayers,
} from '@vastmax/lm-models';
import { flagOf } from '../options/output-layer-choice.ts';
import { UsageError } from '../terminal/errors.ts';
import { warn } from '../terminal/terminal.ts';

export interface Distribution extends Disposable {
  readonly communicator: Communicator;
  readonly ranks: DataParallel;
  readonly createOutput: OutputLayerFactory;
  /** This rank's parts of the global minibatches. */
  partsOf(batches: BatchSource<TextBatch>): BatchSource<TextBatch>;
}

export interface DistributionOptions extends DataParallelOptions {
  /** Whether ranks whose weights have drifted take those of rank 0, with a warning; otherwise drift is an error. */
  readonly repairsDrift?: boolean;
}

export function createDistribution(
  communicator: Communicator,
  backend: Backend,
  { repairsDrift = false, ...options }: DistributionOptions = {},
): Distribution {
  const repairOf = (part: string): Pick<DataParallelOptions, 'onReplicaDrift'> => {
    if (!repairsDrift) return {};
    return {
      onReplicaDrift: ({ step, ranks: differing }) => {
        if (communicator.rank === 0)
          warn(
            `${part}, step ${step}: the weights of rank ${differing.join(', ')} differed from those of rank 0, which all ranks now have; are the machines of one kind?`,
          );
      },
    };
  };
  const ranks = new DataParallel(communicator, backend, { ...repairOf('body'), ...options });
  return {
    communicator,
    ranks,
    createOutput: createDistributedOutput(communicator, repairOf('output layer')),
    partsOf: (batches) => {
      const sliceSequenceBatch = createSequenceSlice();
      return new BatchParts(batches, communicator, (batch, place) => {
        if ('contexts' in batch) return sliceNgramBatch(batch, place);
        return 'steps' in batch ? sliceSequenceBatch(batch, place) : sliceSparseBatch(batch, place);
      });
    },
    [Symbol.dispose]: () => {
      ranks[Symbol.dispose]();
    },
  };
}

/** @throws UsageError for a model that only one process can train, with the supported alternatives. */
export function checkDistributable({
  body,
  output,
}: Pick<NetworkOptions, 'body'> & Partial<Pick<NetworkOptions, 'output'>>): void {
  if ('dropout' in body && (body.dropout ?? 0) > 0)
    throw new UsageError(
      '--distributed trains without --dropout: its random numbers belong to one process; leave it out, and see --weight-decay',
    );
  if (output !== undefined) checkOutput(output);
}

function checkOutput(output: OutputLayerChoice): void {
  const { abilities } = outputLayerOf(output.kind);
  if (!abilities.overRanks) {
    const names = outputLayers
      .filter((each) => each.abilities.overRanks)
      .map(({ name, losses }) => (losses === undefined ? name : `${name}, with any of its losses`));
    throw new UsageError(
      `--distributed has no output layer '${output.kind}' over several ranks; use --output-layer ${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`,
    );
  }
  const refused = abilities.refusedOverRanks?.(output);
  if (refused === undefined) return;
  const value: unknown = Object.entries(output).find(([name]) => name === refused.option)?.[1];
  const flag = `${flagOf(refused.option)}${typeof value === 'string' ? ` ${value}` : ''}`;
  throw new UsageError(`--distributed ${refused.reason}; leave ${flag} out`);
}
