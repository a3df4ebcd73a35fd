/**
 * More layers than fit in memory at once, timed in groups. A reference layer lives through all groups and takes its
 * turn in each, so that a layer is compared with the reference in the same rounds, whatever the machine did between two
 * groups. Slow layers have groups of their own: quick ones would wait seconds for each of their samples.
 */
import type { Backend } from '@vastmax/linalg-core';
import { BenchError } from '../measurement/bench-error.ts';
import { timeInterleaved, timingOf } from '../measurement/interleaved-timing.ts';
import { availableBytes, heapUseAfterCollection } from '../measurement/memory-use.ts';
import type { Spread } from '../measurement/statistics.ts';
import { grouped } from '../reporting/numbers.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import {
  bytesOf,
  createTimedLayer,
  type SizedLayer,
  isSlow,
  type TimedLayer,
  type TimedLayerOptions,
} from './timed-layers.ts';

export interface RoundsOptions extends TimedLayerOptions {
  readonly rounds: number;
  /** For the rounds of a group. */
  readonly seconds: number;
}

export interface LayerTiming extends SizedLayer {
  /** Layers of one number were alive together and took turns, the reference with them. From 0. */
  readonly group: number;
  readonly milliseconds: Spread;
  /** Median of the reference in the same rounds. */
  readonly referenceMs: number;
  readonly initializationSeconds: number;
}

export interface UnavailableLayer extends SizedLayer {
  readonly reason: string;
}

export interface LayerTimings {
  /** The reference first, as in the first group. */
  readonly timed: readonly LayerTiming[];
  readonly unavailable: readonly UnavailableLayer[];
}

interface Group {
  readonly layers: readonly TimedLayer[];
  /** What is left for other groups. */
  readonly later: readonly SizedLayer[];
  readonly unavailable: readonly UnavailableLayer[];
}

const warmup = 3;
/** For the engine, the backend and the minibatches. */
const reserveBytes = 2 ** 30;

/** @throws BenchError `memory` or `failed` when there is no reference. */
export async function timeWithReference(
  backend: Backend,
  reference: SizedLayer,
  layers: readonly SizedLayer[],
  options: RoundsOptions,
  show: ShowStage,
): Promise<LayerTimings> {
  using referenceLayer = await createReference(backend, reference, options, show);
  const timed: LayerTiming[] = [];
  const unavailable: UnavailableLayer[] = [];
  let pending: readonly SizedLayer[] = [...layers.filter((layer) => !isSlow(layer)), ...layers.filter(isSlow)];
  for (let number = 0; number === 0 || pending.length > 0; number++) {
    const group = await createGroup(backend, pending, options, show);
    pending = group.later;
    unavailable.push(...group.unavailable);
    try {
      // The reference is a result of its own once.
      if (number === 0 || group.layers.length > 0) {
        const results = await timeGroup(referenceLayer, group.layers, number, options, show);
        timed.push(...results.timed.slice(number === 0 ? 0 : 1));
        unavailable.push(...results.unavailable);
      }
    } finally {
      for (const timedLayer of group.layers) timedLayer[Symbol.dispose]();
    }
  }
  return { timed, unavailable };
}

async function timeGroup(
  reference: TimedLayer,
  layers: readonly TimedLayer[],
  group: number,
  options: RoundsOptions,
  show: ShowStage,
): Promise<LayerTimings> {
  const { rounds, seconds } = options;
  const all = [reference, ...layers];
  const timings = await timeInterleaved(
    all.map(({ task }) => task),
    {
      warmup,
      rounds,
      seconds,
      onRound: (round) => {
        show(`steps of group ${group + 1}`, `round ${round} of ${rounds}`);
      },
    },
  );
  const failure = reference.failure();
  if (failure !== undefined) throw new BenchError('failed', `${nameOf(reference)}: ${failure}`);
  const referenceMs = timingOf(timings, reference.task.name).median;
  const timed: LayerTiming[] = [];
  const unavailable: UnavailableLayer[] = [];
  for (const timedLayer of all) {
    const { layer, classes, initializationSeconds } = timedLayer;
    const reason = timedLayer.failure();
    if (reason !== undefined) unavailable.push({ layer, classes, reason });
    else
      timed.push({
        layer,
        classes,
        group,
        milliseconds: timingOf(timings, timedLayer.task.name),
        referenceMs,
        initializationSeconds,
      });
  }
  return { timed, unavailable };
}

async function createReference(
  backend: Backend,
  reference: SizedLayer,
  options: RoundsOptions,
  show: ShowStage,
): Promise<TimedLayer> {
  const room = availableMemory();
  const bytes = bytesOf(reference, options.features);
  if (bytes > room)
    throw new BenchError('memory', `${nameOf(reference)} ${shortOf(bytes, room)}; use fewer --classes or --features`);
  const created = await create(backend, reference, options, show);
  if (typeof created === 'string') throw new BenchError('failed', `${nameOf(reference)}: ${created}`);
  return created;
}

/** As many as fit, all of them quick or all slow. */
async function createGroup(
  backend: Backend,
  pending: readonly SizedLayer[],
  options: RoundsOptions,
  show: ShowStage,
): Promise<Group> {
  const layers: TimedLayer[] = [];
  const later: SizedLayer[] = [];
  const unavailable: UnavailableLayer[] = [];
  const slow = pending[0] !== undefined && isSlow(pending[0]);
  let room = availableMemory();
  for (const layer of pending) {
    const bytes = bytesOf(layer, options.features);
    const fits = bytes <= room;
    if (isSlow(layer) !== slow || (!fits && layers.length > 0)) {
      later.push(layer);
      continue;
    }
    // What is too large for a group that is empty is so for any.
    const timedLayer = fits ? await create(backend, layer, options, show) : `it ${shortOf(bytes, room)}`;
    if (typeof timedLayer === 'string') {
      unavailable.push({ ...layer, reason: timedLayer });
      continue;
    }
    layers.push(timedLayer);
    room -= bytes;
  }
  return { layers, later, unavailable };
}

async function create(
  backend: Backend,
  layer: SizedLayer,
  options: TimedLayerOptions,
  show: ShowStage,
): Promise<TimedLayer | string> {
  const bytes = bytesOf(layer, options.features);
  show(`creating ${nameOf(layer)}`, bytes < 1e8 ? '' : `up to ${gigabytes(bytes)} GB`);
  return createTimedLayer(backend, layer, options);
}

/** What layers disposed before have left is collected first. */
function availableMemory(): number {
  heapUseAfterCollection();
  return availableBytes() - reserveBytes;
}

function shortOf(bytes: number, room: number): string {
  return `needs up to ${gigabytes(bytes)} GB, ${gigabytes(Math.max(0, room))} GB are available`;
}

function nameOf({ layer, classes }: SizedLayer): string {
  return `the ${layer} layer of ${grouped(classes)} classes`;
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
