/** `vastmax train --model factorization`: alternating least squares, sweep after sweep, saved and evaluated after each. */
import { writeCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import type { Backend } from '@vastmax/linalg-core';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { loadNetwork, type FoldInNetwork } from '@vastmax/lm-models';
import {
  fitFactorization,
  rankHeldOut,
  Recommender,
  recommenderContent,
  recommenderNameOf,
  type FactorizationOptions,
} from '@vastmax/lm-models/recommenders';
import { createBackend, describeBackend, precisionFrom, threadsOf } from '../options/backend-choice.ts';
import {
  checkRecommenderOptions,
  factorizationWeights,
  type RecommenderTrainOptions,
} from '../options/recommender-options.ts';
import type { GivenOption } from '../options/training-options.ts';
import { isLostCheckpoint, saveUntilDone, tensorBytes } from '../run/last-save.ts';
import { backendOf, prepareFolder, type RunOptions } from '../run/run-folder.ts';
import { resumeCommand } from '../run/run-training.ts';
import { fromCheckpoint } from '../run/train-network.ts';
import { describeInteractions } from '../run/training-plan.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { bytes, count, duration, Progress, warn } from '../terminal/terminal.ts';
import { hasTargets, printEvaluation } from './evaluate-recommendations.ts';
import type { RecommenderData } from './interaction-data.ts';
import { readResumedData } from './train-recommender.ts';

/** Users that are ranked after each sweep. */
const rankedUsers = 1000;

/** @param given the options that were on the command line or in a configuration file. */
export async function trainFactorization(
  file: string,
  options: RecommenderTrainOptions,
  given: readonly GivenOption[],
): Promise<void> {
  checkRecommenderOptions(options, given);
  using interruption = new Interruption();
  const { signal } = interruption;
  await using folder = await prepareFolder(options, given, readFactorizationRun);
  const { resumed } = folder;
  const { data, run } = await readResumedData(file, options, resumed, signal);
  const precision = resumed?.precision ?? options.precision;
  const backendName = backendOf(resumed, options, given);
  const backend = await createBackend(backendName, precision, threadsOf(options));
  using start =
    resumed === undefined
      ? undefined
      : await fromCheckpoint(options.out, (checkpoint) => loadNetwork(backend, checkpoint, { kind: 'fold-in' }));
  const before = resumed?.sweeps ?? 0;
  const isLengthGiven = given.some(({ name }) => name === 'epochs');
  const { epochs: first } = resumed?.options ?? {};
  const sweeps = typeof first === 'number' && !isLengthGiven ? first : options.epochs;
  const weights = start?.body.options ?? factorizationWeights(options);
  printPlan(backend, data, weights, { sweeps, before });
  if (options.dryRun === true) {
    process.stdout.write('dry run: nothing was fitted and nothing written\n');
    return;
  }
  if (before >= sweeps) {
    process.stdout.write(`fitted       all ${sweeps} sweeps already; go on with --epochs\n`);
    return;
  }
  const kept = {
    ...(resumed?.options ?? { ...run, ...factorizationWeights(options) }),
    epochs: sweeps,
    backend: backendName,
  };
  const save = async (recommender: Recommender, sweep: number): Promise<void> => {
    const { configuration, modules, texts } = recommenderContent(recommender);
    const { network } = recommender;
    await writeCheckpoint(createFileStorage(options.out), {
      configuration: {
        command: 'train',
        model: network.options as unknown as JsonObject,
        step: sweep,
        examples: sweep * data.users.length,
        options: JSON.parse(JSON.stringify(kept)) as JsonObject,
        ...configuration,
        interactionsHash: data.fingerprint,
        precision,
      },
      modules: { ...network.modules(), ...modules },
      texts,
    });
  };
  const begin = performance.now();
  let saved = before;
  /** @param sweep of all. */
  const tell = async (recommender: Recommender, sweep: number): Promise<void> => {
    const quality = hasTargets(data) ? `${await describeRanking(recommender, signal)}, ` : '';
    process.stdout.write(
      `sweep ${String(sweep).padEnd(6)} ${quality}${duration((performance.now() - begin) / 1000)}\n`,
    );
  };
  const recommenderOfFit = (network: FoldInNetwork): Recommender =>
    new Recommender(network, { ...data, settings: { model: options.model } });
  let network: FoldInNetwork;
  try {
    using progress = new Progress('fitting');
    network = await fitFactorization(backend, data.histories, data.items.counts, {
      ...weights,
      sweeps: sweeps - before,
      seed: run.seed,
      ...(start === undefined ? {} : { start }),
      signal,
      onProgress: ({ epoch, epochs, done }) => {
        progress.update((epoch - 1 + done) / epochs, [`sweep ${before + epoch} of ${sweeps}`]);
      },
      afterSweep: async (current, sweep) => {
        const recommender = recommenderOfFit(current);
        try {
          await save(recommender, before + sweep);
          saved = before + sweep;
        } catch (error) {
          if (!isLostCheckpoint(error)) throw error;
          warn(`no checkpoint of sweep ${before + sweep} (${error.message}); fitting goes on`);
        }
        await tell(recommender, before + sweep);
      },
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stdout.write(
      saved === 0
        ? 'interrupted in the first sweep: nothing is saved\n'
        : `interrupted; ${options.out} holds sweep ${saved}; go on with: vastmax ${resumeCommand(file, options)}\n`,
    );
    process.exitCode = 130;
    return;
  }
  using recommender = recommenderOfFit(network);
  await saveUntilDone(() => save(recommender, sweeps), {
    directory: options.out,
    bytes: tensorBytes(network.modules()),
    signal,
  });
  process.stdout.write(
    `fitted       ${sweeps - before} sweeps in ${duration((performance.now() - begin) / 1000)}\nsaved        ${options.out}\n`,
  );
  await printEvaluation(recommender, data, options, signal);
}

async function describeRanking(recommender: Recommender, signal: AbortSignal): Promise<string> {
  const { histories, heldOut: targets } = recommender;
  const { atK } = await rankHeldOut(recommender, { histories, targets }, { ks: [20], limit: rankedUsers, signal });
  return atK.map(({ k, recall, ndcg }) => `Recall@${k} ${recall.toFixed(4)}, NDCG@${k} ${ndcg.toFixed(4)}`).join('');
}

function printPlan(
  backend: Backend,
  data: RecommenderData,
  { embedding = 0, lambda = 0, unobservedWeight = 0 }: FactorizationOptions,
  { sweeps, before }: { readonly sweeps: number; readonly before: number },
): void {
  const [users, items] = [data.users.length, data.items.size];
  const bytesOfNumber = backend.precision === 'f64' ? 8 : 4;
  const notes = describeInteractions(data, 'factorization');
  const lines = [
    `backend      ${describeBackend(backend)}`,
    ...notes.map(([name, text]) => `${name.padEnd(12)} ${text}`),
    `model        users and items of ${embedding}, alternating least squares (unobservedWeight = ${unobservedWeight}, lambda = ${lambda})`,
    // The fit, and the network that is made of it.
    `memory       ${bytes(bytesOfNumber * embedding * (users + 3 * items))}`,
    `fitting      ${count(sweeps - before)} sweeps`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

interface FactorizationRun extends RunOptions {
  /** How many are done. */
  readonly sweeps: number;
}

/** @throws CheckpointError; UsageError for another model. */
async function readFactorizationRun(directory: string): Promise<FactorizationRun> {
  return await fromCheckpoint(directory, ({ configuration }) => {
    const { step, options } = configuration;
    if (recommenderNameOf(configuration) !== 'factorization' || typeof step !== 'number')
      throw new UsageError(`${directory} holds no factorization; leave --model factorization out to go on with it`);
    return Promise.resolve({
      precision: precisionFrom(configuration),
      options: (options ?? {}) as JsonObject,
      configuration,
      sweeps: step,
    });
  });
}
