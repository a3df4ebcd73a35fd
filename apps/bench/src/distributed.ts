/**
 * `bench distributed`: the step of the sharded factored layer over several ranks by the number of classes, what it
 * sends, what of its time is communication, over shared memory and over TCP; and what a model makes of the measured
 * constants for larger machines (docs/many-machines.md).
 */
import { Option, type Command } from 'commander';
import { distributedTables } from './distributed/distributed-tables.ts';
import type { RankReport, RankRow } from './distributed/rank-measurement.ts';
import {
  lastUsefulRanks,
  modelStep,
  networks,
  type ModelConstants,
  type ModelRow,
} from './distributed/scaling-model.ts';
import { measureOver, transports, type TransportName } from './distributed/start-ranks.ts';
import { BenchError } from './measurement/bench-error.ts';
import { printReport } from './report/bench-output.ts';
import { describeMachine, type Machine } from './report/machine.ts';
import { wholeNumber, wholeNumbers } from './report/option-values.ts';
import { stageProgress, type ShowStage } from './report/stage-progress.ts';

export interface DistributedOptions {
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

interface Options extends DistributedOptions {
  readonly json: boolean;
}

export function addDistributedCommand(program: Command): void {
  program
    .command('distributed')
    .description(
      'measure the sharded factored layer over ranks: time, bytes and messages of a step by the number of classes',
    )
    .option('--json', 'print one JSON object instead of tables', false)
    .option('--classes <D,...>', 'classes of each table', wholeNumbers(100), [10_000, 100_000, 1_000_000, 10_000_000])
    .option('--ranks <p>', 'processes, or threads', wholeNumber(1, 64), 2)
    .option('--features <d>', 'width of a row', wholeNumber(2, 4096), 128)
    .option('--batch <m>', 'examples of each rank', wholeNumber(1, 65_536), 256)
    .option('--rounds <n>', 'turns of all tables', wholeNumber(1), 10)
    .option('--steps <n>', 'steps of a table in its turn', wholeNumber(1), 10)
    .addOption(
      new Option('--transports <list>', `with commas between: ${transports.join(', ')}`)
        .argParser(transportNames)
        .default(['shared-memory', 'tcp']),
    )
    .option('--no-model', 'leave out what larger machines would do')
    .addHelpText(
      'after',
      `
The transports are Open MPI's, which mpirun is started with. bytesSentPerStep
and messagesPerStep are of one rank; communicationShare is the time in
collectives, waiting included: more ranks than cores wait for each other.

Examples:
  $ pnpm --silent bench distributed --json
  $ pnpm --silent bench distributed --classes 20000000 --ranks 4 --rounds 3 \\
      --transports shared-memory --no-model`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('distributed');
      const report = await measureDistributed(options, show);
      end();
      printReport(report, json, distributedTables);
    });
}

export async function measureDistributed(options: DistributedOptions, show: ShowStage): Promise<DistributedReport> {
  const { classes, ranks, features, batch, rounds, steps } = options;
  const request = { classes: [...classes].sort((a, b) => a - b), features, batch, rounds, steps };
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
    model: options.model ? await createModel(options, rows, jobs, show) : null,
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

function transportNames(text: string): readonly TransportName[] {
  return [...new Set(text.split(','))].map((name) => {
    const found = transports.find((each) => each === name);
    if (found === undefined)
      throw new BenchError(
        'bad-option',
        `distributed: no transport is called '${name}'; there are ${transports.join(', ')}`,
      );
    return found;
  });
}
