/**
 * Competitors are timed in turn, a sample of each a round, so that whatever else the machine does meanwhile falls on
 * all of them alike; one after the other, a disturbance of a second would decide the comparison. Every other round goes
 * backwards, so that nobody always runs in the caches that the same neighbour left.
 */
import { type Spread, spreadOf } from './statistics.ts';

export interface Competitor {
  readonly name: string;
  /** What is timed, `times` in a row; resolves when it is done. */
  readonly run: (times: number) => Promise<void>;
  /**
   * Repeat it within a sample until that takes so long, for the clock's sake and to leave the neighbours' caches
   * behind; once unless given.
   */
  readonly sampleMs?: number;
  /**
   * A wait after each sample: the threads of a BLAS spin for some time after a call and would slow down the next
   * competitor.
   */
  readonly restMs?: number;
}

export interface TimingOptions {
  /** Rounds that are not counted. */
  readonly warmup: number;
  readonly rounds: number;
  /** Stop after the round in which so many seconds were passed, but not before three rounds. */
  readonly seconds?: number;
  readonly onRound?: (round: number, rounds: number) => void;
}

const fewestRounds = 3;
/** After a rest the processor is cold: products ran a third slower until it had worked for a while. */
const primeMs = 20;
/** Of what a sample repeats. */
const mostTimes = 2 ** 20;

/** Milliseconds of one run, by the competitors' names. */
export async function timeInterleaved(
  competitors: readonly Competitor[],
  options: TimingOptions,
): Promise<ReadonlyMap<string, Spread>> {
  const { warmup, rounds, seconds = Infinity, onRound } = options;
  const repetitions = new Map<Competitor, number>();
  for (const competitor of competitors) {
    for (let round = 0; round < warmup; round++) await sample(competitor, 1);
    repetitions.set(competitor, await calibrate(competitor));
  }
  const samples = new Map<Competitor, number[]>(competitors.map((competitor) => [competitor, []]));
  const rests = competitors.some(({ restMs = 0 }) => restMs > 0);
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (round >= fewestRounds && performance.now() - start > 1000 * seconds) break;
    onRound?.(round + 1, rounds);
    const order = round % 2 === 0 ? competitors : competitors.toReversed();
    for (const competitor of order) {
      const times = repetitions.get(competitor) ?? 1;
      if (rests && competitor.sampleMs !== undefined) await prime(competitor, times);
      samples.get(competitor)?.push((await sample(competitor, times)) / times);
    }
  }
  return new Map(competitors.map((competitor) => [competitor.name, spreadOf(samples.get(competitor) ?? [])]));
}

/** @throws RangeError for a name that was not timed. */
export function timingOf(timings: ReadonlyMap<string, Spread>, name: string): Spread {
  const found = timings.get(name);
  if (found === undefined)
    throw new RangeError(`nothing called '${name}' was timed; there are ${[...timings.keys()].join(', ')}`);
  return found;
}

async function sample({ run, restMs = 0 }: Competitor, times: number): Promise<number> {
  const start = performance.now();
  await run(times);
  const milliseconds = performance.now() - start;
  if (restMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, restMs));
  return milliseconds;
}

async function prime({ run }: Competitor, times: number): Promise<void> {
  for (const end = performance.now() + primeMs; performance.now() < end;) await run(times);
}

async function calibrate(competitor: Competitor): Promise<number> {
  const { sampleMs } = competitor;
  if (sampleMs === undefined) return 1;
  for (let times = 1; ; times *= 2) {
    const milliseconds = await sample(competitor, times);
    if (milliseconds >= sampleMs || times === mostTimes) return times;
  }
}
