/**
 * `bench hybrid`: the step of the hybrid layer by the number of classes, and of other layers. Tables of ten million
 * classes take 12 GB each, so that few are in memory at once; the hybrid layer of the fewest classes takes part in
 * every group of them.
 */
import type { Backend } from '@vastmax/linalg-core';
import { type BackendChoice, type BackendInUse, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { BenchError } from '../measurement/bench-error.ts';
import { pauseAfter } from '../measurement/ceilings.ts';
import { scaleSpread, type Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { timeWithReference, type LayerTiming, type UnavailableLayer } from '../workload/timed-groups.ts';
import { type SizedLayer, timedClasses } from '../workload/timed-layers.ts';

export interface HybridOptions {
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly classes: readonly number[];
  readonly features: number;
  readonly batch: number;
  /** F, classes of the head. */
  readonly head: number;
  readonly layers: readonly string[];
  /** Most classes that the full softmax is timed on. */
  readonly denseRows: number;
  readonly rounds: number;
  readonly seconds: number;
}

export interface HybridRow {
  readonly layer: string;
  readonly classes: number;
  /** Of a step over all classes. */
  readonly medianMs: number;
  readonly milliseconds: Spread;
  /** The classes that were timed, when the time of all was computed from theirs; else null. */
  readonly scaledFrom: number | null;
  /** Median of the reference in the same rounds. */
  readonly referenceMs: number;
  /** Layers of one number were alive together and took turns. */
  readonly group: number;
  readonly initializationSeconds: number;
}

export interface HybridReport {
  readonly bench: 'hybrid';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly options: { readonly features: number; readonly batch: number; readonly head: number };
  readonly targets: "Zipf's law, drawn anew for each step";
  /** The hybrid layer of the fewest classes, which took part in all groups. */
  readonly reference: SizedLayer;
  readonly rows: readonly HybridRow[];
  /** The slowest hybrid layer over the fastest, each as medianMs over referenceMs: of medians of the same rounds. */
  readonly flatness: number;
  /** What could not be timed, and why. */
  readonly unavailable: readonly UnavailableLayer[];
}

/** Of the rows of the hybrid layer. */
export function flatnessOf(rows: readonly HybridRow[]): number {
  const ratios = rows
    .filter(({ layer }) => layer === 'hybrid')
    .map(({ medianMs, referenceMs }) => medianMs / referenceMs);
  return Math.max(...ratios) / Math.min(...ratios);
}

const hybridName = 'hybrid';

/**
 * @throws BenchError `bad-option` for a head that is too large, `memory` when not even the smallest hybrid layer fits.
 */
export async function measureHybrid(options: HybridOptions, show: ShowStage): Promise<HybridReport> {
  const fewest = Math.min(...options.classes);
  if (options.head >= fewest) {
    throw new BenchError(
      'bad-option',
      `--head ${options.head} leaves no tail of the ${fewest} classes of --classes; it must be at most ${fewest - 1}`,
    );
  }
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
  options: HybridOptions,
  show: ShowStage,
): Promise<HybridReport> {
  const { features, batch, head, denseRows, rounds, seconds } = options;
  const sizes = [...options.classes].sort((a, b) => a - b);
  const hybrid = `${hybridName}:headSize=${head}`;
  const [reference, ...hybrids] = sizes.map((classes): SizedLayer => ({ layer: hybrid, classes }));
  if (reference === undefined) throw new BenchError('bad-option', '--classes is empty');
  const others = options.layers.filter((layer) => layer !== hybridName && layer !== hybrid);
  const wanted = others.flatMap((layer) =>
    sizes.map((classes) => ({ layer, classes, timed: timedClasses(layer, classes, denseRows) })),
  );
  // The full softmax of all sizes is timed once, on one slice.
  const distinct = wanted.filter(
    ({ layer, timed }, place) => place === wanted.findIndex((other) => other.layer === layer && other.timed === timed),
  );
  const results = await timeWithReference(
    backend,
    reference,
    [...hybrids, ...distinct.map(({ layer, timed }) => ({ layer, classes: timed }))],
    { features, batch, pauseMs: pauseAfter(inUse), rounds, seconds },
    show,
  );
  const rows: HybridRow[] = [];
  const unavailable: UnavailableLayer[] = [];
  for (const { layer, classes, timed } of [
    ...sizes.map((size) => ({ layer: hybrid, classes: size, timed: size })),
    ...wanted,
  ]) {
    const isIt = (sized: SizedLayer): boolean => sized.layer === layer && sized.classes === timed;
    const name = layer === hybrid ? hybridName : layer;
    const result = results.timed.find(isIt);
    if (result !== undefined) rows.push(rowOf(name, classes, result));
    unavailable.push(...results.unavailable.filter(isIt).map(({ reason }) => ({ layer: name, classes, reason })));
  }
  return {
    bench: 'hybrid',
    machine: describeMachine(),
    backend: inUse,
    options: { features, batch, head },
    targets: "Zipf's law, drawn anew for each step",
    reference: { layer: hybridName, classes: reference.classes },
    rows,
    flatness: flatnessOf(rows),
    unavailable,
  };
}

function rowOf(
  layer: string,
  classes: number,
  { classes: timed, milliseconds: slice, referenceMs, group, initializationSeconds }: LayerTiming,
): HybridRow {
  const milliseconds = scaleSpread(slice, classes / timed);
  return {
    layer,
    classes,
    medianMs: milliseconds.median,
    milliseconds,
    scaledFrom: timed === classes ? null : timed,
    referenceMs,
    group,
    initializationSeconds,
  };
}
