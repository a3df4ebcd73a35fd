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
import { bytesOf, createRival, type Entrant, isSlow, type Rival, type RivalSizes } from './timed-layers.ts';

export interface RoundsOptions extends RivalSizes {
  readonly rounds: number;
  /** For the rounds of a group. */
  readonly seconds: number;
}

export interface TimedEntrant extends Entrant {
  /** Layers of one number were alive together and took turns, the reference with them. From 0. */
  readonly group: number;
  readonly milliseconds: Spread;
  /** Median of the reference in the same rounds. */
  readonly referenceMs: number;
  readonly initializationSeconds: number;
}

export interface UnavailableEntrant extends Entrant {
  readonly reason: string;
}

export interface TimedEntrants {
  /** The reference first, as in the first group. */
  readonly timed: readonly TimedEntrant[];
  readonly unavailable: readonly UnavailableEntrant[];
}

interface Group {
  readonly rivals: readonly Rival[];
  /** What is left for other groups. */
  readonly later: readonly Entrant[];
  readonly unavailable: readonly UnavailableEntrant[];
}

const warmup = 3;
/** For the engine, the backend and the minibatches. */
const reserveBytes = 2 ** 30;

/** @throws BenchError `memory` or `failed` when there is no reference. */
export async function timeBeside(
  backend: Backend,
  reference: Entrant,
  entrants: readonly Entrant[],
  options: RoundsOptions,
  show: ShowStage,
): Promise<TimedEntrants> {
  using referenceRival = await createReference(backend, reference, options, show);
  const timed: TimedEntrant[] = [];
  const unavailable: UnavailableEntrant[] = [];
  let pending: readonly Entrant[] = [...entrants.filter((entrant) => !isSlow(entrant)), ...entrants.filter(isSlow)];
  for (let number = 0; number === 0 || pending.length > 0; number++) {
    const group = await createGroup(backend, pending, options, show);
    pending = group.later;
    unavailable.push(...group.unavailable);
    try {
      // The reference is a result of its own once.
      if (number === 0 || group.rivals.length > 0) {
        const results = await timeGroup(referenceRival, group.rivals, number, options, show);
        timed.push(...results.timed.slice(number === 0 ? 0 : 1));
        unavailable.push(...results.unavailable);
      }
    } finally {
      for (const rival of group.rivals) rival[Symbol.dispose]();
    }
  }
  return { timed, unavailable };
}

async function timeGroup(
  reference: Rival,
  rivals: readonly Rival[],
  group: number,
  options: RoundsOptions,
  show: ShowStage,
): Promise<TimedEntrants> {
  const { rounds, seconds } = options;
  const all = [reference, ...rivals];
  const timings = await timeInterleaved(
    all.map(({ competitor }) => competitor),
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
  const referenceMs = timingOf(timings, reference.competitor.name).median;
  const timed: TimedEntrant[] = [];
  const unavailable: UnavailableEntrant[] = [];
  for (const rival of all) {
    const { layer, classes, initializationSeconds } = rival;
    const reason = rival.failure();
    if (reason !== undefined) unavailable.push({ layer, classes, reason });
    else
      timed.push({
        layer,
        classes,
        group,
        milliseconds: timingOf(timings, rival.competitor.name),
        referenceMs,
        initializationSeconds,
      });
  }
  return { timed, unavailable };
}

async function createReference(
  backend: Backend,
  reference: Entrant,
  options: RoundsOptions,
  show: ShowStage,
): Promise<Rival> {
  const room = roomInMemory();
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
  pending: readonly Entrant[],
  options: RoundsOptions,
  show: ShowStage,
): Promise<Group> {
  const rivals: Rival[] = [];
  const later: Entrant[] = [];
  const unavailable: UnavailableEntrant[] = [];
  const slow = pending[0] !== undefined && isSlow(pending[0]);
  let room = roomInMemory();
  for (const entrant of pending) {
    const bytes = bytesOf(entrant, options.features);
    const fits = bytes <= room;
    if (isSlow(entrant) !== slow || (!fits && rivals.length > 0)) {
      later.push(entrant);
      continue;
    }
    // What is too large for a group that is empty is so for any.
    const rival = fits ? await create(backend, entrant, options, show) : `it ${shortOf(bytes, room)}`;
    if (typeof rival === 'string') {
      unavailable.push({ ...entrant, reason: rival });
      continue;
    }
    rivals.push(rival);
    room -= bytes;
  }
  return { rivals, later, unavailable };
}

async function create(
  backend: Backend,
  entrant: Entrant,
  options: RivalSizes,
  show: ShowStage,
): Promise<Rival | string> {
  const bytes = bytesOf(entrant, options.features);
  show(`creating ${nameOf(entrant)}`, bytes < 1e8 ? '' : `up to ${gigabytes(bytes)} GB`);
  return createRival(backend, entrant, options);
}

/** What layers disposed before have left is collected first. */
function roomInMemory(): number {
  heapUseAfterCollection();
  return availableBytes() - reserveBytes;
}

function shortOf(bytes: number, room: number): string {
  return `needs up to ${gigabytes(bytes)} GB, ${gigabytes(Math.max(0, room))} GB are available`;
}

function nameOf({ layer, classes }: Entrant): string {
  return `the ${layer} layer of ${grouped(classes)} classes`;
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
