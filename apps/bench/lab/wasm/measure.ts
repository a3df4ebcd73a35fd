/**
 * Every version checked against the naive one, then all of them timed in turns, so that a disturbance hits all alike.
 */
import { performance } from 'node:perf_hooks';
import type { Experiment } from './experiments.ts';
import type { LabMemory } from './memory.ts';

const rounds = 15;
const millisecondsPerTurn = 8;

export interface Row {
  readonly kernel: string;
  readonly version: string;
  readonly ships: boolean;
  readonly size: readonly number[];
  /** Largest difference from the naive version over the largest number. */
  readonly error: number;
  readonly withinTolerance: boolean;
  readonly unit: string;
  /** At the median time. */
  readonly rate: number;
  /** At the shortest time, which another process disturbs least. */
  readonly bestRate: number;
  /** Median time of the naive version over this one's. */
  readonly timesNaive: number;
}

export function measure(experiment: Experiment, memory: LabMemory, size: readonly number[]): readonly Row[] {
  const { name, versions, unit, work, results, tolerance, fill } = experiment;
  const { kernels, places } = memory;
  fill(memory, size);
  const outputs = versions.map(({ prepare, run }) => {
    memory.takeResults(results(size));
    prepare?.(kernels, places, size);
    run(kernels, places, size);
    return memory.takeResults(results(size));
  });
  const errors = outputs.map((output) => largestDifference(output, outputs[0] ?? output));

  const calls = versions.map(({ prepare, run }) => {
    prepare?.(kernels, places, size);
    run(kernels, places, size);
    const started = performance.now();
    run(kernels, places, size);
    return Math.max(1, Math.round(millisecondsPerTurn / Math.max(1e-4, performance.now() - started)));
  });
  const times: number[][] = versions.map(() => []);
  for (let round = 0; round < rounds; round++) {
    versions.forEach(({ prepare, run }, index) => {
      const count = calls[index] ?? 1;
      prepare?.(kernels, places, size);
      run(kernels, places, size);
      const started = performance.now();
      for (let i = 0; i < count; i++) run(kernels, places, size);
      times[index]?.push((performance.now() - started) / count);
    });
  }
  const medians = times.map((values) => values.toSorted((x, y) => x - y)[rounds >> 1] ?? Number.NaN);
  return versions.map((version, index) => {
    const [error, median] = [errors[index] ?? Number.NaN, medians[index] ?? Number.NaN];
    return {
      kernel: name,
      version: version.name,
      ships: version.ships ?? false,
      size,
      error,
      withinTolerance: error <= tolerance(size),
      unit,
      rate: work(size) / median / 1e6,
      bestRate: work(size) / Math.min(...(times[index] ?? [])) / 1e6,
      timesNaive: (medians[0] ?? Number.NaN) / median,
    };
  });
}

/** Of numbers that are not there, NaN, so that nothing passes. */
function largestDifference(got: Float32Array, expected: Float32Array): number {
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(got[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return difference / largest;
}
