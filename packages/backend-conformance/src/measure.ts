/** The mode `measure`: times the same kernel cases. Returns rows of data; nothing is printed or checked. */
import type { Backend } from '@vastmax/linalg-core';
import { conformanceCases } from './all-cases.ts';
import type { ConformanceCase } from './conformance-case.ts';
import { missingKernels, withContext } from './run-case.ts';

/** The time of one kernel case: the median over the samples, and operations a second. */
export interface Measurement {
  readonly id: string;
  readonly kernel: string;
  /** Time of one call of the case (all its sizes), including the work of the device. */
  readonly medianSeconds: number;
  /** Floating-point operations (numbers moved, for copies and gathers) of one call. */
  readonly operations: number;
  /** operations / medianSeconds. */
  readonly operationsPerSecond: number;
  readonly samples: number;
}

/** Which cases `measureBackend` times, how often and how long. */
export interface MeasureOptions {
  /** Those of `conformanceCases` unless given; cases without a kernel are left out. */
  readonly cases?: readonly ConformanceCase[];
  /** How many times to time each case; 7 unless given. */
  readonly samples?: number;
  /** Repeat the call within a sample until it takes this long; 0.01 unless given. */
  readonly secondsPerSample?: number;
  /** Seconds from any origin; `performance.now()/1000` unless given. */
  readonly now?: () => number;
}

/** Times the kernel cases that the backend offers. About samples·secondsPerSample for each. */
export async function measureBackend(
  create: () => Backend | Promise<Backend>,
  options: MeasureOptions = {},
): Promise<readonly Measurement[]> {
  const { cases = conformanceCases, samples = 7, secondsPerSample = 0.01, now = hostSeconds } = options;
  const backend = await create();
  try {
    const rows: Measurement[] = [];
    for (const conformanceCase of cases) {
      if (conformanceCase.prepare === undefined || missingKernels(conformanceCase, backend).length > 0) continue;
      rows.push(
        await measureCase(conformanceCase, conformanceCase.prepare, {
          backend,
          create,
          samples,
          secondsPerSample,
          now,
        }),
      );
    }
    return rows;
  } finally {
    await backend.dispose();
  }
}

interface Timing {
  readonly backend: Backend;
  readonly create: () => Backend | Promise<Backend>;
  readonly samples: number;
  readonly secondsPerSample: number;
  readonly now: () => number;
}

async function measureCase(
  { id, subject }: ConformanceCase,
  prepare: NonNullable<ConformanceCase['prepare']>,
  { backend, create, samples, secondsPerSample, now }: Timing,
): Promise<Measurement> {
  return withContext(id, { backend, create }, async (context) => {
    const prepared = prepare(context);
    const time = async (repeats: number): Promise<number> => {
      await backend.synchronize();
      const start = now();
      for (let i = 0; i < repeats; i++) prepared.call();
      await backend.synchronize();
      return now() - start;
    };
    await time(1);
    let repeats = 1;
    for (let once = await time(1); once < secondsPerSample && repeats < 2 ** 20; once = await time(repeats))
      repeats *= 2;
    const seconds: number[] = [];
    for (let sample = 0; sample < samples; sample++) seconds.push((await time(repeats)) / repeats);
    const medianSeconds = median(seconds);
    const { operations } = prepared;
    return { id, kernel: subject, medianSeconds, operations, operationsPerSecond: operations / medianSeconds, samples };
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = Math.floor(sorted.length / 2);
  const lower = sorted.length % 2 === 0 ? upper - 1 : upper;
  return ((sorted[lower] ?? Number.NaN) + (sorted[upper] ?? Number.NaN)) / 2;
}

function hostSeconds(): number {
  const host = globalThis as { readonly performance?: { now(): number } };
  return (host.performance?.now() ?? Date.now()) / 1000;
}
