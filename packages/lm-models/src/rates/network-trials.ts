/**
 * Short trainings of a run's network that differ in their rates alone: the same seed, the same minibatches, the whole
 * schedule within each, and the same held-out examples at the end.
 */
import { read, type Backend, type Matrix } from '@vastmax/linalg-core';
import { isOutputLayerError, ranksOf, type OutputLayer } from '@vastmax/output-layer';
import type { CancellationSignal, CsrRows } from '@vastmax/sparse-data';
import { isModelError } from '../model-error.ts';
import { createNetwork } from '../network/create-network.ts';
import type { NetworkOptions } from '../network/network-options.ts';
import type { Body, Network } from '../network/network.ts';
import { Trainer } from '../training/trainer.ts';
import type { TrainingOptions } from '../training/training-types.ts';
import { repeatBatches, type TrialBatch, type TrialData } from './trial-data.ts';

/** One number for each held-out example. */
export interface TrialScores {
  /** 1/rank of the best of its right classes. */
  readonly reciprocalRanks: Float64Array;
  /** Of layers that give probabilities: the scale of other losses may depend on the rates. */
  readonly losses: Float64Array | undefined;
}

interface NetworkTrialOptions {
  readonly network: NetworkOptions;
  /** Of the run: its rates and time are not read. */
  readonly training: TrainingOptions;
  readonly data: TrialData;
  /** Of each trial. */
  readonly examples: number;
  readonly signal?: CancellationSignal;
}

const maxBodyFactor = 8;

/**
 * Adam moves a weight by its rate in each step, whatever the gradient: a body whose trial has n′ of a run's n steps
 * moves n′/n as far, and its output layer is then measured on activations that a run leaves behind at once. √(n/n′)
 * times the rate, 8 times at maxClasses, is between no correction and one for the whole distance.
 */
function bodyFactor({ optimizer, examples }: TrainingOptions, trialExamples: number): number {
  if (optimizer !== 'adam') return 1;
  return Math.min(maxBodyFactor, Math.max(1, Math.sqrt(examples / trialExamples)));
}

/**
 * A trial with these rates.
 * @returns undefined where training diverged.
 * @throws what `signal` throws when it is aborted.
 */
export async function runNetworkTrial(
  backend: Backend,
  { outputRate, bodyRate }: { readonly outputRate: number; readonly bodyRate: number },
  { network: options, training, data, examples, signal }: NetworkTrialOptions,
): Promise<TrialScores | undefined> {
  // Its body reads the minibatches that were recorded for it.
  using network = (await createNetwork(backend, data.sizes, options)) as unknown as Network<
    TrialBatch,
    Body<TrialBatch>
  >;
  using trainer = new Trainer(network, repeatBatches(data.training, data.examples), {
    ...training,
    outputRate,
    bodyRate: bodyRate * bodyFactor(training, examples),
    examples,
    // The schedule is that of the examples.
    maximumSeconds: Infinity,
  });
  try {
    for await (const event of trainer.run(signal)) if (event.type === 'interrupted') signal?.throwIfAborted();
    return await network.exclusively('rate trial', () => scoresOf(network, data, signal));
  } catch (error) {
    const isDiverged = (isModelError(error) || isOutputLayerError(error)) && error.code === 'diverged';
    if (isDiverged || (isOutputLayerError(error) && error.code === 'non-finite')) return undefined;
    throw error;
  }
}

/** Undefined where a number is not finite. */
async function scoresOf(
  network: Network<TrialBatch>,
  { heldOut }: TrialData,
  signal: CancellationSignal | undefined,
): Promise<TrialScores | undefined> {
  const ranks: number[] = [];
  const losses: number[] = [];
  for (const batch of heldOut) {
    signal?.throwIfAborted();
    const hidden = network.computeHidden(batch);
    losses.push(...(await read(await network.output.evaluate(hidden, batch.targets))));
    ranks.push(...(await bestRanks(network.output, hidden, batch.targets)));
  }
  if (![...ranks, ...losses].every(Number.isFinite)) return undefined;
  return {
    reciprocalRanks: Float64Array.from(ranks, (rank) => 1 / rank),
    losses: network.output.isNormalized ? Float64Array.from(losses) : undefined,
  };
}

/** The rank of the best of each example's right classes. O(m·D·d). */
async function bestRanks(
  output: OutputLayer,
  hidden: Matrix,
  { rows, offsets, indices }: CsrRows,
): Promise<Float64Array> {
  const best = Int32Array.from({ length: rows }, (_, row) => indices[offsets[row]!]!);
  let maxClasses = 0;
  for (let row = 0; row < rows; row++) maxClasses = Math.max(maxClasses, offsets[row + 1]! - offsets[row]!);
  if (maxClasses > 1) {
    using scores = output.backend.createMatrix(rows, 1);
    const highest = new Float64Array(rows).fill(-Infinity);
    for (let place = 0; place < maxClasses; place++) {
      const classes = Int32Array.from({ length: rows }, (_, row) =>
        place < offsets[row + 1]! - offsets[row]! ? indices[offsets[row]! + place]! : best[row]!,
      );
      output.classScores(hidden, classes, scores);
      for (const [row, score] of (await read(scores)).entries()) {
        if (!(score > highest[row]!)) continue;
        highest[row] = score;
        best[row] = classes[row]!;
      }
    }
  }
  return await ranksOf(output, hidden, best);
}
