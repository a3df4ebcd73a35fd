/**
 * `bench distributed`: the step of a layer over several ranks by the number of classes, what it
 * sends, what of its time is communication, over shared memory and over TCP; and what a model makes of the measured
 * constants for larger machines (docs/many-machines.md).
 */
import { BenchError } from '../measurement/bench-error.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import type { RankReport, RankRequest, RankRow } from './measure-rank.ts';
import { lastUsefulRanks, type ModelConstants, type ModelRow, modelStep, networks } from './scaling-model.ts';
import { measureOver, type TransportName } from './start-ranks.ts';

export interface DistributedOptions extends Pick<RankRequest, 'layer'> {
  readonly classes: readonly number[];
  readonly ranks: number;
  readonly features: number;
  readonly batch: number;
  readonly rounds: number;
  readonly steps: number;
  readonly transports: readonly TransportName[];
  readonly model: boolean;
}

interface DistributedRow extends RankRow {
  readonly transport: TransportName;
  readonly ranks: number;
  readonly examplesPerSecond: number;
}

export interface DistributedReport {
  readonly bench: 'distributed';
  readonly machine: Machine;
  readonly options: DistributedOptions;
  readonly rows: readonly DistributedRow[];
  readonly jobs: readonly (Omit<RankReport, 'rows'> & { readonly transport: TransportName })[];
  /** Null without --model. */
  readonly model: {
    readonly constants: ModelConstants;
    readonly rows: readonly ModelRow[];
    readonly limits: readonly ModelLimit[];
  } | null;
}

/** Where doubling the ranks stops paying: with the same minibatch for each, and with one minibatch shared out. */
interface ModelLimit {
  readonly network: string;
  readonly sameBatchEach: number;
  readonly sharedBatch: number;
}

const modelRanks = [1, 4, 16, 64, 256];
/** Of all ranks together, for the limit of sharing one minibatch out. */
const sharedExamples = 4096;

export async function measureDistributed(options: DistributedOptions, show: ShowStage): Promise<DistributedReport> {
  const { layer, classes, ranks, features, batch, rounds, steps } = options;
  const request = { layer, classes: [...classes].sort((a, b) => a - b), features, batch, rounds, steps };
  const rows: DistributedRow[] = [];
  const jobs: (Omit<RankReport, 'rows'> & { readonly transport: TransportName })[] = [];
  for (const transport of options.transports) {
    show(`${ranks} ranks, ${transport}`);
    const { rows: measured, ...job } = await measureOver(transport, ranks, request);
    jobs.push({ transport, ...job });
    for (const row of measured)
      rows.push({ transport, ranks, ...row, examplesPerSecond: (1000 * ranks * batch) / row.medianMs });
  }
  return {
    bench: 'distributed',
    machine: describeMachine(),
    options,
    rows,
    jobs,
    // The model is of the factored layer.
    model: options.model && layer === 'factored' ? await createModel(options, rows, jobs, show) : null,
  };
}

async function createModel(
  options: DistributedOptions,
  rows: readonly DistributedRow[],
  jobs: DistributedReport['jobs'],
  show: ShowStage,
): Promise<DistributedReport['model']> {
  const { features, batch, rounds, steps, ranks } = options;
  const [row] = rows;
  const [job] = jobs;
  if (row === undefined || job === undefined || ranks < 2)
    throw new BenchError(
      'bad-option',
      'distributed: the model needs a measurement of at least 2 ranks; give --ranks 2 or --no-model',
    );
  // One rank of the smallest table, with few examples and with many: what a step costs whatever its size, and what an
  // example adds.
  const few = Math.max(1, batch >> 2);
  const times: number[] = [];
  for (const examples of [few, batch]) {
    show(`one rank, ${examples} examples`);
    const { rows: measured } = await measureOver('single', 1, {
      layer: options.layer,
      classes: [row.classes],
      features,
      batch: examples,
      rounds,
      steps,
    });
    times.push(measured[0]?.undisturbedMs ?? Number.NaN);
  }
  const [short = 0, long = 0] = times;
  const exampleMs = Math.max(0, (long - short) / (batch - few));
  const constants: ModelConstants = {
    features,
    fixedMs: Math.max(0, long - exampleMs * batch),
    exampleMs,
    touchedShare: row.touchedClasses / batch,
    messageMicroseconds: job.exchangeMicroseconds / Math.max(1, ranks - 1),
  };
  const limits = networks.map((network) => ({
    network: network.name,
    sameBatchEach: lastUsefulRanks(constants, network, () => batch),
    sharedBatch: lastUsefulRanks(constants, network, (count) => sharedExamples / count),
  }));
  return {
    constants,
    rows: networks.flatMap((network) => modelRanks.map((count) => modelStep(constants, network, count, batch))),
    limits,
  };
}
