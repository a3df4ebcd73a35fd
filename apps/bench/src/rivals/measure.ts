/**
 * `bench rivals`: one training step of every output layer on one backend, by the number of classes, each against the
 * factored layer in the same rounds. Layers are made by the same call as in `vastmax train`. The full softmax is timed
 * on a slice of the classes and scaled where D is large: its time is proportional to D, and the whole would take
 * seconds a step.
 */
import type { Backend } from '@vastmax/linalg-core';
import { type BackendChoice, type BackendInUse, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { type Ceilings, ceilingsFrom, copyTask, gemmTask, pauseAfter, squareSize } from '../measurement/ceilings.ts';
import { timeInterleaved, timingOf } from '../measurement/interleaved-timing.ts';
import { scaleSpread, type Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import { grouped } from '../reporting/numbers.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { type RoundsOptions, timeWithReference, type UnavailableLayer } from '../workload/timed-groups.ts';
import { factoredName, timedClasses } from '../workload/timed-layers.ts';
import { breakEvenClasses, type BreakEvenTiming, computeBreakEven } from './break-even.ts';

export interface RivalsOptions {
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly classes: readonly number[];
  readonly features: number;
  readonly batch: number;
  readonly layers: readonly string[];
  /** Most classes that the full softmax is timed on. */
  readonly denseRows: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface RivalRow {
  readonly layer: string;
  readonly classes: number;
  /** Of a step over all classes. */
  readonly medianMs: number;
  readonly milliseconds: Spread;
  /** The classes that were timed, when the time of all was computed from theirs; else null. */
  readonly scaledFrom: number | null;
  /** Median of the factored layer in the same rounds. */
  readonly factoredMs: number;
  /** Layers of one number and class count were alive together and took turns. */
  readonly group: number;
  readonly initializationSeconds: number;
}

/** `fullOverFactored` and so on: medianMs over factoredMs of the layer's row; absent for a layer that has none. */
type RatioRow = { readonly classes: number } & Readonly<Record<`${string}OverFactored`, number>>;

export interface RivalsReport {
  readonly bench: 'rivals';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly options: { readonly features: number; readonly batch: number; readonly layers: readonly string[] };
  readonly targets: "Zipf's law, drawn anew for each step";
  readonly rows: readonly RivalRow[];
  readonly ratios: readonly RatioRow[];
  /** What could not be timed, and why. */
  readonly unavailable: readonly UnavailableLayer[];
  /** D at which the full softmax costs as much as the factored layer; null when breakEvenTimings do not reach it. */
  readonly breakEven: number | null;
  readonly breakEvenTimings: readonly BreakEvenTiming[];
  readonly ceilings: Ceilings;
}

function ratiosOf(rows: readonly RivalRow[]): RatioRow[] {
  return [...new Set(rows.map(({ classes }) => classes))].map((classes) => {
    const ratios: { classes: number } & Record<`${string}OverFactored`, number> = { classes };
    for (const row of rows) {
      if (row.classes === classes && row.layer !== factoredName)
        ratios[`${row.layer}OverFactored`] = row.medianMs / row.factoredMs;
    }
    return ratios;
  });
}

const ceilingRounds = 10;

/** @throws BenchError `memory` when the factored layer does not fit, `failed` when it fails. */
export async function measureRivals(options: RivalsOptions, show: ShowStage): Promise<RivalsReport> {
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
  options: RivalsOptions,
  show: ShowStage,
): Promise<RivalsReport> {
  const { classes: sizes, features, batch, denseRows, rounds, seconds } = options;
  const layers = options.layers.filter((layer) => layer !== factoredName);
  const roundsOptions: RoundsOptions = { features, batch, pauseMs: pauseAfter(inUse), rounds, seconds };
  const ceilings = await measureCeilings(backend, inUse, seconds);
  const breakEvenTimings = layers.includes('full') ? await timeBreakEven(backend, roundsOptions, show) : [];
  const rows: RivalRow[] = [];
  const unavailable: UnavailableLayer[] = [];
  for (const classes of sizes) {
    const showSize: ShowStage = (stage, detail) => {
      show(`D = ${grouped(classes)}: ${stage}`, detail);
    };
    const sized = layers.map((layer) => ({ layer, classes: timedClasses(layer, classes, denseRows) }));
    const results = await timeWithReference(backend, { layer: factoredName, classes }, sized, roundsOptions, showSize);
    for (const {
      layer,
      classes: timed,
      group,
      milliseconds: slice,
      referenceMs,
      initializationSeconds,
    } of results.timed) {
      const milliseconds = scaleSpread(slice, classes / timed);
      rows.push({
        layer,
        classes,
        medianMs: milliseconds.median,
        milliseconds,
        scaledFrom: timed === classes ? null : timed,
        factoredMs: referenceMs,
        group,
        initializationSeconds,
      });
    }
    unavailable.push(...results.unavailable.map((sized) => ({ ...sized, classes })));
  }
  return {
    bench: 'rivals',
    machine: describeMachine(),
    backend: inUse,
    options: { features, batch, layers },
    targets: "Zipf's law, drawn anew for each step",
    rows,
    ratios: ratiosOf(rows),
    unavailable,
    breakEven: computeBreakEven(breakEvenTimings),
    breakEvenTimings,
    ceilings,
  };
}

async function timeBreakEven(backend: Backend, options: RoundsOptions, show: ShowStage): Promise<BreakEvenTiming[]> {
  const [first, ...others] = breakEvenClasses;
  const layers = [
    ...others.map((classes) => ({ layer: factoredName, classes })),
    ...breakEvenClasses.map((classes) => ({ layer: 'full', classes })),
  ];
  const showStage: ShowStage = (stage, detail) => {
    show(`break-even: ${stage}`, detail);
  };
  const { timed } = await timeWithReference(
    backend,
    { layer: factoredName, classes: first },
    layers,
    options,
    showStage,
  );
  const medianOf = (layer: string, classes: number): number | undefined =>
    timed.find((timing) => timing.layer === layer && timing.classes === classes)?.milliseconds.median;
  const timings: BreakEvenTiming[] = [];
  for (const classes of breakEvenClasses) {
    const fullMs = medianOf('full', classes);
    const factoredMs = medianOf(factoredName, classes);
    if (fullMs !== undefined && factoredMs !== undefined) timings.push({ classes, fullMs, factoredMs });
  }
  return timings;
}

/** Before the layers: a copy of memory between their steps would empty their caches. */
async function measureCeilings(backend: Backend, inUse: BackendInUse, seconds: number): Promise<Ceilings> {
  const square = gemmTask(backend, inUse, squareSize, squareSize, squareSize);
  const copy = copyTask();
  const timings = await timeInterleaved([square, copy], { warmup: 3, rounds: ceilingRounds, seconds });
  return ceilingsFrom(timingOf(timings, square.name), timingOf(timings, copy.name));
}
