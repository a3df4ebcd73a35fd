/**
 * Tasks are timed in rounds, one sample of each task a round, so that other load on the machine affects all of them
 * alike; timed one task after the other, a disturbance of one second would decide the comparison. Every second round
 * runs in reverse order, so that no task always finds the caches as the same other task left them.
 */
import { spreadOf, type Spread } from './statistics.ts';

export interface TimedTask {
  readonly name: string;
  /** What is timed, `times` in a row; resolves when it is done. */
  readonly run: (times: number) => Promise<void>;
  /**
   * A sample repeats the task until it takes at least so long: for the resolution of the clock, and so that the caches
   * hold this task's data. Once unless given.
   */
  readonly sampleMs?: number;
  /**
   * Wait so long after each sample: the threads of a BLAS spin for some time after a call and would slow down the
   * next task.
   */
  readonly pauseMs?: number;
}

export interface TimingOptions {
  /** Rounds that are not counted. */
  readonly warmup: number;
  readonly rounds: number;
  /** Stop after the round in which so many seconds were passed, but not before three rounds. */
  readonly seconds?: number;
  readonly onRound?: (round: number, rounds: number) => void;
}

const minRounds = 3;
/** After a pause the processor runs slower: products took a third longer until it had worked for a while. */
const warmUpMs = 20;
/** Repetitions within a sample. */
const maxRepetitions = 2 ** 20;

/** Milliseconds of one run, by the tasks' names. */
export async function timeInterleaved(
  tasks: readonly TimedTask[],
  options: TimingOptions,
): Promise<ReadonlyMap<string, Spread>> {
  const { warmup, rounds, seconds = Infinity, onRound } = options;
  const repetitions = new Map<TimedTask, number>();
  for (const task of tasks) {
    for (let round = 0; round < warmup; round++) await sample(task, 1);
    repetitions.set(task, await calibrate(task));
  }
  const samples = new Map<TimedTask, number[]>(tasks.map((task) => [task, []]));
  const rests = tasks.some(({ pauseMs = 0 }) => pauseMs > 0);
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (round >= minRounds && performance.now() - start > 1000 * seconds) break;
    onRound?.(round + 1, rounds);
    const order = round % 2 === 0 ? tasks : tasks.toReversed();
    for (const task of order) {
      const times = repetitions.get(task) ?? 1;
      if (rests && task.sampleMs !== undefined) await warmUp(task, times);
      samples.get(task)?.push((await sample(task, times)) / times);
    }
  }
  return new Map(tasks.map((task) => [task.name, spreadOf(samples.get(task) ?? [])]));
}

/** @throws RangeError for a name that was not timed. */
export function timingOf(timings: ReadonlyMap<string, Spread>, name: string): Spread {
  const found = timings.get(name);
  if (found === undefined)
    throw new RangeError(`nothing called '${name}' was timed; there are ${[...timings.keys()].join(', ')}`);
  return found;
}

async function sample({ run, pauseMs = 0 }: TimedTask, times: number): Promise<number> {
  const start = performance.now();
  await run(times);
  const milliseconds = performance.now() - start;
  if (pauseMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, pauseMs));
  return milliseconds;
}

async function warmUp({ run }: TimedTask, times: number): Promise<void> {
  for (const end = performance.now() + warmUpMs; performance.now() < end;) await run(times);
}

async function calibrate(task: TimedTask): Promise<number> {
  const { sampleMs } = task;
  if (sampleMs === undefined) return 1;
  for (let times = 1; ; times *= 2) {
    const milliseconds = await sample(task, times);
    if (milliseconds >= sampleMs || times === maxRepetitions) return times;
  }
}
