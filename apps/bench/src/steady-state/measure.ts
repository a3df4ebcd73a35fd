/**
 * `bench steady-state`: what a thousand steps after warm-up leave behind, and how much of their time is the price of
 * numerical stability: rebasing, converting stale rows by the cached transforms, the background sweep
 * (docs/exactness.md).
 * The layer tells when that work begins and ends; the monitor that decides about it is part of every step and not
 * counted.
 */
import type { Backend } from '@vastmax/linalg-core';
import type { FactoredOutputLayer } from '@vastmax/spherical-losses';
import { type BackendChoice, type BackendInUse, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { type Ceilings, ceilingsFrom, squareSize, copyTask, gemmTask } from '../measurement/ceilings.ts';
import { timeInterleaved, timingOf } from '../measurement/interleaved-timing.ts';
import { heapUseAfterCollection } from '../measurement/memory-use.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { createBenchLayer, type LossSettings, settingsOf } from '../workload/factored-layer.ts';
import { MinibatchCycle } from '../workload/minibatches.ts';
import { HandleCounter, Stopwatch } from './step-instruments.ts';

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
  readonly rebases: number;
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
  readonly rebases: Readonly<Record<string, number>>;
  readonly stabilizationShare: Readonly<Record<string, number>>;
  readonly rows: readonly SteadyStateRow[];
  readonly ceilings: Ceilings;
}

const cycled = 16;
const ceilingRounds = 10;

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
      rebases: Object.fromEntries(rows.map(({ loss, rebases }) => [loss, rebases])),
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
  using layer = await createBenchLayer(backend, classes, features, settings, {
    onStabilization: stopwatch.onPhase,
  });
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
    rebases: after.rebases - before.rebases,
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
  const square = gemmTask(backend, inUse, squareSize, squareSize, squareSize);
  const copy = copyTask();
  const timings = await timeInterleaved([square, copy], { warmup: 3, rounds: ceilingRounds });
  return ceilingsFrom(timingOf(timings, square.name), timingOf(timings, copy.name));
}
