/**
 * `bench scaling`: the time of a factored step against the number of classes. All layers are alive at once and take
 * turns. Targets are drawn evenly from all classes and anew for every step, which is the worst case for the caches:
 * real targets follow Zipf's law, and the rows of frequent classes stay near. So what grows with D here is the memory's
 * latency for 128 rows, and nothing else.
 */
import type { Backend } from '@vastmax/linalg-core';
import { type BackendChoice, type BackendInUse, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { BenchError } from '../measurement/bench-error.ts';
import { type Ceilings, ceilingsFrom, copyTask, gemmTask, pauseAfter, squareSize } from '../measurement/ceilings.ts';
import { type TimedTask, timeInterleaved, timingOf } from '../measurement/interleaved-timing.ts';
import { availableBytes, residentBytes } from '../measurement/memory-use.ts';
import type { Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import { grouped } from '../reporting/numbers.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { createDenseTasks } from '../workload/dense-tasks.ts';
import { createBenchLayer, type LossSettings, settingsOf } from '../workload/factored-layer.ts';
import { MinibatchCycle } from '../workload/minibatches.ts';

export interface ScalingOptions {
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly classes: readonly number[];
  readonly features: number;
  readonly batch: number;
  readonly loss: string;
  readonly denseRows: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface ScalingRow {
  readonly classes: number;
  readonly medianMs: number;
  readonly milliseconds: Spread;
  /** 4Dd. */
  readonly tableBytes: number;
  /** By how much the process grew in physical memory when the layer was created. */
  readonly residentBytes: number;
  readonly initializationSeconds: number;
  /** The dense step at this size, scaled from `dense.rows` classes. */
  readonly denseMs: number;
}

export interface ScalingReport {
  readonly bench: 'scaling';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly options: Pick<ScalingOptions, 'features' | 'batch' | 'loss'>;
  readonly targets: 'uniform over all classes, drawn anew for each step';
  readonly rows: readonly ScalingRow[];
  /** The slowest medianMs over the fastest. */
  readonly flatness: number;
  readonly dense: { readonly rows: number; readonly milliseconds: Spread };
  readonly ceilings: Ceilings;
}

/** Besides the tables: transforms of rebase epochs, the engine, the blocks that sum the Gram matrix. */
const reserveBytes = 2 ** 30;
const cycled = 16;
const sampleMs = 25;

/** @throws BenchError `memory` when the tables together do not fit what is available. */
export async function measureScaling(options: ScalingOptions, show: ShowStage): Promise<ScalingReport> {
  checkMemory(options);
  const { backend, inUse } = await createBackend(await resolveBackend(options.backend), options.threads);
  try {
    return await measureOn(backend, inUse, options, show);
  } finally {
    await backend.dispose();
  }
}

interface SizedLayer extends Disposable {
  readonly classes: number;
  readonly task: TimedTask;
  readonly residentBytes: number;
  readonly initializationSeconds: number;
}

async function measureOn(
  backend: Backend,
  inUse: BackendInUse,
  options: ScalingOptions,
  show: ShowStage,
): Promise<ScalingReport> {
  const { features, batch, loss, rounds, seconds } = options;
  const settings = settingsOf(loss);
  const layers: SizedLayer[] = [];
  for (const classes of options.classes) {
    show(`creating the layer of ${grouped(classes)} classes`);
    layers.push(await createSizedLayer(backend, inUse, classes, options, settings));
  }
  using dense = createDenseTasks(backend, {
    ...options,
    classes: Math.max(...options.classes),
    settings,
    pauseMs: pauseAfter(inUse),
  });
  const denseOnly = dense.tasks.filter(({ name }) => name === dense.names.dense);
  const square = gemmTask(backend, inUse, squareSize, squareSize, squareSize);
  const copy = copyTask();
  const timings = await timeInterleaved([...layers.map(({ task }) => task), ...denseOnly, square, copy], {
    warmup: 5,
    rounds,
    seconds,
    onRound: (round) => {
      show('steps', `round ${round} of ${rounds}`);
    },
  });
  const denseMs = timingOf(timings, dense.names.dense);
  const rows = layers.map(({ classes, task, residentBytes: resident, initializationSeconds }): ScalingRow => {
    const milliseconds = timingOf(timings, task.name);
    return {
      classes,
      medianMs: milliseconds.median,
      milliseconds,
      tableBytes: tableBytes(classes, features),
      residentBytes: resident,
      initializationSeconds,
      denseMs: (denseMs.median * classes) / dense.rows,
    };
  });
  for (const layer of layers) layer[Symbol.dispose]();
  const medians = rows.map(({ medianMs }) => medianMs);
  return {
    bench: 'scaling',
    machine: describeMachine(),
    backend: inUse,
    options: { features, batch, loss },
    targets: 'uniform over all classes, drawn anew for each step',
    rows,
    flatness: Math.max(...medians) / Math.min(...medians),
    dense: { rows: dense.rows, milliseconds: denseMs },
    ceilings: ceilingsFrom(timingOf(timings, square.name), timingOf(timings, copy.name)),
  };
}

async function createSizedLayer(
  backend: Backend,
  inUse: BackendInUse,
  classes: number,
  { features, batch }: ScalingOptions,
  settings: LossSettings,
): Promise<SizedLayer> {
  const residentBefore = residentBytes();
  const start = performance.now();
  const layer = await createBenchLayer(backend, classes, features, settings);
  const initializationSeconds = (performance.now() - start) / 1000;
  const resident = residentBytes() - residentBefore;
  const batches = new MinibatchCycle(backend, { classes, features, batch, count: cycled, distribution: 'uniform' });
  const task: TimedTask = {
    name: `${classes} classes`,
    sampleMs,
    pauseMs: pauseAfter(inUse),
    run: async (times) => {
      for (let i = 0; i < times; i++) {
        const { hidden, targets } = batches.nextRedrawn();
        await layer.step(hidden, targets, { learningRate: settings.learningRate });
      }
    },
  };
  return {
    classes,
    task,
    residentBytes: resident,
    initializationSeconds,
    [Symbol.dispose]: () => {
      batches[Symbol.dispose]();
      layer[Symbol.dispose]();
    },
  };
}

function tableBytes(classes: number, features: number): number {
  return 4 * classes * features;
}

function checkMemory({ classes, features }: ScalingOptions): void {
  const needed = classes.reduce((sum, count) => sum + tableBytes(count, features) + 4 * count, reserveBytes);
  const available = availableBytes();
  if (needed <= available) return;
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  throw new BenchError(
    'memory',
    `scaling needs ${gigabytes(needed)} GB for its tables, ${gigabytes(available)} GB are available; leave out the largest of --classes ${classes.join(',')}, or use fewer --features than ${features}`,
  );
}
