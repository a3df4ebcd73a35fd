/**
 * `bench output-layer`: one training step of the factored layer against the same loss computed densely, and against the
 * log-softmax that it stands in for, on one backend, in the same rounds. The dense layers are timed on a slice of the
 * classes and scaled: their time is proportional to D, and the whole would take seconds a step. The slice has no more
 * overhead a class than the whole.
 */
import { Scope, type Backend } from '@vastmax/linalg-core';
import type { FactoredOutputLayer } from '@vastmax/spherical-losses';
import { type BackendChoice, type BackendInUse, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { type Ceilings, ceilingsFrom, copyTask, gemmTask, pauseAfter, squareSize } from '../measurement/ceilings.ts';
import { type TimedTask, timeInterleaved, timingOf } from '../measurement/interleaved-timing.ts';
import { denseFlops, factoredFlops } from '../measurement/operation-counts.ts';
import { scaleSpread, type Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { createDenseTasks } from '../workload/dense-tasks.ts';
import { createBenchLayer, settingsOf } from '../workload/factored-layer.ts';
import { MinibatchCycle } from '../workload/minibatches.ts';
import { profileSteps, type StepProfile } from './step-profile.ts';

export interface OutputLayerOptions {
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly classes: number;
  readonly features: number;
  readonly batch: number;
  readonly loss: string;
  /** Most classes that the dense layers are timed on. */
  readonly denseRows: number;
  readonly profile: boolean;
  /** Also time the step with a preconditioner of this power. */
  readonly precondition?: 0.5 | 1;
  readonly rounds: number;
  readonly seconds: number;
}

export interface DenseTiming {
  /** Of all classes. */
  readonly medianMs: number;
  readonly milliseconds: Spread;
  /** The classes that were timed, when the time of all was computed from theirs; else null. */
  readonly scaledFrom: number | null;
}

export interface OutputLayerReport {
  readonly bench: 'output-layer';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly options: Pick<OutputLayerOptions, 'classes' | 'features' | 'batch' | 'loss'>;
  readonly initializationSeconds: number;
  readonly factored: {
    readonly form: string;
    readonly medianMs: number;
    readonly milliseconds: Spread;
    readonly examplesPerSecond: number;
    readonly flops: number;
    readonly gflops: number;
    /** flops/medianMs over the rate of the 512 product in the same run. */
    readonly gemmCeilingShare: number;
    /** medianMs over the time of the backend's own m×d×d product in the same run. */
    readonly stepOverGemm: number;
  };
  /** Null unless asked for. */
  readonly preconditioned: {
    readonly power: number;
    /** Of a step, with a hundredth of the computation of P in it. */
    readonly medianMs: number;
    readonly refreshMs: number;
    /** medianMs over factored.medianMs. */
    readonly overPlain: number;
  } | null;
  /** The same loss, exact SGD, the outputs of a step kept: three products of 2mDd. */
  readonly dense: DenseTiming & { readonly flops: number };
  /** The same with the outputs computed twice, so that nothing with m·D numbers exists. */
  readonly denseRecomputed: DenseTiming;
  readonly fullSoftmax: DenseTiming;
  /** dense.medianMs over factored.medianMs. */
  readonly speedup: number;
  /** fullSoftmax.medianMs over factored.medianMs. */
  readonly speedupOverSoftmax: number;
  readonly stepGemm: { readonly m: number; readonly n: number; readonly k: number; readonly milliseconds: Spread };
  readonly ceilings: Ceilings;
  readonly profile: StepProfile | null;
}

const factoredName = 'factored';
const preconditionedName = 'preconditioned';
const refreshingName = 'preconditioned, P computed at each step';
const cycled = 16;
/** Several steps a sample: the dense layers leave caches behind that no training loop would have. */
const factoredSampleMs = 25;

export async function measureOutputLayer(options: OutputLayerOptions, show: ShowStage): Promise<OutputLayerReport> {
  const { backend, inUse } = await createBackend(await resolveBackend(options.backend), options.threads);
  try {
    return await measureOn(backend, inUse, options, show);
  } finally {
    await backend.dispose();
  }
}

async function measureOn(
  backend: Backend,
  inUse: BackendInUse,
  options: OutputLayerOptions,
  show: ShowStage,
): Promise<OutputLayerReport> {
  const { classes, features, batch, loss, rounds, seconds } = options;
  const settings = settingsOf(loss);
  show('creating the factored layer');
  const start = performance.now();
  using layer = await createBenchLayer(backend, classes, features, settings);
  const initializationSeconds = (performance.now() - start) / 1000;
  using batches = new MinibatchCycle(backend, { classes, features, batch, count: cycled, distribution: 'zipf' });
  using dense = createDenseTasks(backend, { ...options, settings, pauseMs: pauseAfter(inUse) });
  const steps = (name: string, stepped: FactoredOutputLayer): TimedTask => ({
    name,
    sampleMs: factoredSampleMs,
    pauseMs: pauseAfter(inUse),
    run: async (times) => {
      for (let i = 0; i < times; i++) {
        const { hidden, targets } = batches.next();
        await stepped.step(hidden, targets, { learningRate: settings.learningRate });
      }
    },
  });
  const { precondition: power } = options;
  using owned = new Scope(backend);
  const preconditionedTasks: TimedTask[] = [];
  if (power !== undefined) {
    for (const [name, refreshEvery] of [
      [preconditionedName, 1_000_000],
      [refreshingName, 1],
    ] as const) {
      const created = await createBenchLayer(backend, classes, features, settings, {
        preconditioner: { power, refreshEvery },
      });
      preconditionedTasks.push(steps(name, owned.own(created)));
    }
  }
  const square = gemmTask(backend, inUse, squareSize, squareSize, squareSize);
  const product = gemmTask(backend, inUse, batch, features, features);
  const copy = copyTask();
  const timings = await timeInterleaved(
    [steps(factoredName, layer), ...preconditionedTasks, product, square, ...dense.tasks, copy],
    {
      warmup: 5,
      rounds,
      seconds,
      onRound: (round) => {
        show('steps', `round ${round} of ${rounds}`);
      },
    },
  );
  const { form } = layer.counters;
  if (form === undefined) throw new RangeError('the factored layer has made no step');

  const milliseconds = timingOf(timings, factoredName);
  const ceilings = ceilingsFrom(timingOf(timings, square.name), timingOf(timings, copy.name));
  const stepGemm = timingOf(timings, product.name);
  const flops = factoredFlops(form, batch, features);
  const gflops = flops / milliseconds.median / 1e6;
  const scaled = (name: string): DenseTiming => denseTiming(timingOf(timings, name), dense.rows, classes);
  const denseTime = scaled(dense.names.dense);
  const softmaxTime = scaled(dense.names.softmax);
  return {
    bench: 'output-layer',
    machine: describeMachine(),
    backend: inUse,
    options: { classes, features, batch, loss },
    initializationSeconds,
    factored: {
      form,
      medianMs: milliseconds.median,
      milliseconds,
      examplesPerSecond: (1000 * batch) / milliseconds.median,
      flops,
      gflops,
      gemmCeilingShare: gflops / ceilings.gemmGflops,
      stepOverGemm: milliseconds.median / stepGemm.median,
    },
    preconditioned: power === undefined ? null : preconditionedTiming(power, timings),
    dense: { ...denseTime, flops: denseFlops(classes, batch, features) },
    denseRecomputed: scaled(dense.names.recomputed),
    fullSoftmax: softmaxTime,
    speedup: denseTime.medianMs / milliseconds.median,
    speedupOverSoftmax: softmaxTime.medianMs / milliseconds.median,
    stepGemm: { m: batch, n: features, k: features, milliseconds: stepGemm },
    ceilings,
    profile: options.profile
      ? await profileSteps(backend, layer, batches, settings.learningRate, { batch, width: features })
      : null,
  };
}

function preconditionedTiming(
  power: number,
  timings: ReadonlyMap<string, Spread>,
): NonNullable<OutputLayerReport['preconditioned']> {
  const step = timingOf(timings, preconditionedName).median;
  const refreshMs = timingOf(timings, refreshingName).median - step;
  const medianMs = step + refreshMs / 100;
  return { power, medianMs, refreshMs, overPlain: medianMs / timingOf(timings, factoredName).median };
}

function denseTiming(slice: Spread, rows: number, classes: number): DenseTiming {
  const milliseconds = scaleSpread(slice, classes / rows);
  return { medianMs: milliseconds.median, milliseconds, scaledFrom: rows === classes ? null : rows };
}
