/** The part of `vastmax train` that is the same for all networks in one process: rates, trainer, plan, training. */
import { Trainer, type BatchSource, type TrainingBatch, type TrainingOptions } from '@vastmax/lm-models';
import type { RateName, TrialBatch } from '@vastmax/lm-models/rates';
import { openCheckpoint, type Checkpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import type { GivenOption, TrainOptions } from '../options/training-options.ts';
import { changedTraining, savedRun, type RunState } from './run-folder.ts';
import { trainAndSave, type TrainingRun } from './run-training.ts';
import { ratesOfRun, resumedRates } from './search-rates.ts';
import { describeDryRun, printPlan, type PlannedModel } from './training-plan.ts';

export interface NetworkRun<Batch extends TrainingBatch & TrialBatch> {
  readonly plan: PlannedModel;
  readonly batches: BatchSource<Batch>;
  /** Examples of a full minibatch. */
  readonly batchSize: number;
  /** What rates are searched with; `batches` unless given. */
  readonly trials?: BatchSource<Batch>;
  /** With the default rates where none are given. */
  readonly training: TrainingOptions;
  /** The rates that move anything; both unless given. */
  readonly only?: readonly RateName[];
  readonly resumed: RunState | undefined;
  /** The options that a new run keeps, its layer among them, and the backend that computes. */
  readonly chosen: TrainOptions;
  readonly backendName: string;
  /** What the checkpoint has beside the run, its weights and the options. */
  readonly content: TrainingRun['extras'];
  readonly signal: AbortSignal;
}

/**
 * @returns whether the run reached its end; a dry run does not.
 */
export async function trainNetwork<Batch extends TrainingBatch & TrialBatch>(
  file: string,
  options: TrainOptions,
  given: readonly GivenOption[],
  run: NetworkRun<Batch>,
): Promise<boolean> {
  const { plan, batches, trials = batches, batchSize, training: defaults, only, resumed, content, signal } = run;
  const { network } = plan;
  const { training, configuration } =
    resumed === undefined
      ? await ratesOfRun(options, {
          network,
          batches: trials,
          batchSize,
          training: defaults,
          signal,
          ...(only === undefined ? {} : { only }),
        })
      : resumedRates(resumed, changedTraining(resumed, options, given, batches.examplesPerEpoch));
  using trainer = new Trainer(network as never, batches, training);
  if (resumed !== undefined)
    await fromCheckpoint(options.out, (checkpoint) => trainer.restore(savedRun(checkpoint, batches)));
  const cost = await printPlan(plan, trainer, batchSize);
  if (options.dryRun === true) {
    process.stdout.write(describeDryRun(cost));
    return false;
  }
  return await trainAndSave(file, options, {
    trainer,
    extras: {
      ...content,
      configuration: {
        command: 'train',
        options: { ...(resumed?.options ?? run.chosen), backend: run.backendName },
        ...content.configuration,
        precision: network.backend.precision,
        batchSize,
        ...configuration,
      },
    },
    signal,
  });
}

/** What `load` reads of the checkpoint in a folder. */
export async function fromCheckpoint<Result>(
  directory: string,
  load: (checkpoint: Checkpoint) => Promise<Result>,
): Promise<Result> {
  await using checkpoint = await openCheckpoint(createFileStorage(directory));
  return await load(checkpoint);
}
