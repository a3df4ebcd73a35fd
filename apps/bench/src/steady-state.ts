/**
 * `bench steady-state`: what a thousand steps after warm-up leave behind, and how much of their time is the price of
 * numerical stability: closing generations, converting stale rows by the ladder of maps, sweeping (docs/exactness.md).
 * The layer tells when that work begins and ends; the monitor that decides about it is part of every step and not
 * counted.
 */
import type { Backend } from '@vastmax/linalg-core';
import { builtInLossNames, type FactoredOutputLayer } from '@vastmax/spherical-losses';
import { Option, type Command } from 'commander';
import {
  backendChoices,
  createBackend,
  resolveBackend,
  type BackendChoice,
  type BackendInUse,
} from './measurement/backend-choice.ts';
import { ceilingsFrom, copyCompetitor, gemmCompetitor, squareSize, type Ceilings } from './measurement/ceilings.ts';
import { HandleCounter } from './measurement/handle-counter.ts';
import { timeInterleaved, timingOf } from './measurement/interleaved-timing.ts';
import { heapUseAfterCollection } from './measurement/memory-use.ts';
import { Stopwatch } from './measurement/stopwatch.ts';
import { printReport } from './report/bench-output.ts';
import { describeMachine, type Machine } from './report/machine.ts';
import { lossNames, threadCount, wholeNumber } from './report/option-values.ts';
import { stageProgress, type ShowStage } from './report/stage-progress.ts';
import { steadyStateTables } from './report/steady-state-tables.ts';
import { createBenchLayer, settingsOf, type LossSettings } from './workload/factored-layer.ts';
import { MinibatchCycle } from './workload/minibatches.ts';

export interface SteadyStateOptions {
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly classes: number;
  readonly features: number;
  readonly batch: number;
  readonly losses: readonly string[];
  readonly steps: number;
  readonly warmup: number;
}

interface SteadyStateRow {
  readonly loss: string;
  readonly learningRate: number;
  readonly handlesCreated: number;
  /** After collection of garbage, end against begin; negative when it shrank. */
  readonly heapGrowthBytes: number;
  readonly externalGrowthBytes: number;
  readonly generationsClosed: number;
  readonly singularSteps: number;
  readonly mapsAppliedPerStep: number;
  readonly stepMs: number;
  readonly stabilizationMs: number;
  readonly stabilizationShare: number;
}

export interface SteadyStateReport {
  readonly bench: 'steady-state';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly options: Pick<SteadyStateOptions, 'classes' | 'features' | 'batch' | 'steps' | 'warmup'>;
  /** Of all losses together. */
  readonly handlesCreated: number;
  /** The largest of all losses. */
  readonly heapGrowthBytes: number;
  /** By loss. */
  readonly generationsClosed: Readonly<Record<string, number>>;
  readonly stabilizationShare: Readonly<Record<string, number>>;
  readonly rows: readonly SteadyStateRow[];
  readonly ceilings: Ceilings;
}

const cycled = 16;
const ceilingRounds = 10;

interface Options extends SteadyStateOptions {
  readonly json: boolean;
}

export function addSteadyStateCommand(program: Command): void {
  program
    .command('steady-state')
    .description('measure what a thousand steps leave behind, and the price of numerical stability, for each loss')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, 1)
    .option('--classes <D>', 'classes', wholeNumber(2, 2 ** 31 - 1), 100_000)
    .option('--features <d>', 'width of the hidden activations', wholeNumber(1, 8192), 256)
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 128)
    .option('--losses <list>', 'losses, with commas between', lossNames, builtInLossNames)
    .option('--steps <count>', 'steps that are measured', wholeNumber(1), 1000)
    .option('--warmup <count>', 'steps before them', wholeNumber(1), 2000)
    .addHelpText(
      'after',
      `
handlesCreated counts createMatrix, createTable and createIndices during the
measured steps; heapGrowthBytes is the JavaScript heap after collection, end
against begin. Each loss trains at the rate of docs/experiments.md on correlated
activations; stabilizationShare is the time of closing, ladder and sweep over
the time of the steps.

Example:
  $ pnpm --silent bench steady-state --losses z-loss,squared-error --json`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('steady-state');
      const report = await measureSteadyState(options, show);
      end();
      printReport(report, json, steadyStateTables);
    });
}

export async function measureSteadyState(options: SteadyStateOptions, show: ShowStage): Promise<SteadyStateReport> {
  const { backend, inUse } = await createBackend(await resolveBackend(options.backend), options.threads);
  try {
    const rows: SteadyStateRow[] = [];
    for (const loss of options.losses) rows.push(await measureLoss(backend, loss, options, show));
    const { classes, features, batch, steps, warmup } = options;
    return {
      bench: 'steady-state',
      machine: describeMachine(),
      backend: inUse,
      options: { classes, features, batch, steps, warmup },
      handlesCreated: rows.reduce((sum, { handlesCreated }) => sum + handlesCreated, 0),
      heapGrowthBytes: Math.max(...rows.map(({ heapGrowthBytes }) => heapGrowthBytes)),
      generationsClosed: Object.fromEntries(rows.map(({ loss, generationsClosed }) => [loss, generationsClosed])),
      stabilizationShare: Object.fromEntries(rows.map(({ loss, stabilizationShare }) => [loss, stabilizationShare])),
      rows,
      ceilings: await measureCeilings(backend, inUse),
    };
  } finally {
    await backend.dispose();
  }
}

async function measureLoss(
  backend: Backend,
  loss: string,
  options: SteadyStateOptions,
  show: ShowStage,
): Promise<SteadyStateRow> {
  const { classes, features, batch, steps, warmup } = options;
  const settings = settingsOf(loss);
  const stopwatch = new Stopwatch();
  show(`${loss}: creating the layer`);
  using layer = await createBenchLayer(backend, classes, features, settings, stopwatch.onPhase);
  using batches = new MinibatchCycle(backend, { classes, features, batch, count: cycled, distribution: 'zipf' });
  await run(layer, batches, settings, warmup, (step) => {
    show(`${loss}: warm-up`, `step ${step} of ${warmup}`);
  });

  const before = layer.counters;
  const heapBefore = heapUseAfterCollection();
  using handles = new HandleCounter(backend);
  stopwatch.reset();
  const start = performance.now();
  await run(layer, batches, settings, steps, (step) => {
    show(`${loss}: measuring`, `step ${step} of ${steps}`);
  });
  const milliseconds = performance.now() - start;
  const handlesCreated = handles.count;
  const heapAfter = heapUseAfterCollection();
  const after = layer.counters;
  return {
    loss,
    learningRate: settings.learningRate,
    handlesCreated,
    heapGrowthBytes: heapAfter.heapBytes - heapBefore.heapBytes,
    externalGrowthBytes: heapAfter.externalBytes - heapBefore.externalBytes,
    generationsClosed: after.rebases - before.rebases,
    singularSteps: after.singularSteps - before.singularSteps,
    mapsAppliedPerStep: (after.transformsApplied - before.transformsApplied) / steps,
    stepMs: milliseconds / steps,
    stabilizationMs: stopwatch.milliseconds / steps,
    stabilizationShare: stopwatch.milliseconds / milliseconds,
  };
}

async function run(
  layer: FactoredOutputLayer,
  batches: MinibatchCycle,
  { learningRate }: LossSettings,
  steps: number,
  onStep: (step: number) => void,
): Promise<void> {
  for (let step = 1; step <= steps; step++) {
    const { hidden, targets } = batches.next();
    await layer.step(hidden, targets, { learningRate });
    if (step % 100 === 0) onStep(step);
  }
}

async function measureCeilings(backend: Backend, inUse: BackendInUse): Promise<Ceilings> {
  const square = gemmCompetitor(backend, inUse, squareSize, squareSize, squareSize);
  const copy = copyCompetitor();
  const timings = await timeInterleaved([square, copy], { warmup: 3, rounds: ceilingRounds });
  return ceilingsFrom(timingOf(timings, square.name), timingOf(timings, copy.name));
}
