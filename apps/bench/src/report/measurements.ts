/**
 * What `bench report` has measured: one JSON file, each run under its name, so that a run can be repeated without the
 * others.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { KernelsReport } from '../kernels/measure.ts';
import { BenchError } from '../measurement/bench-error.ts';
import type { OutputLayerReport } from '../output-layer/measure.ts';
import type { ScalingReport } from '../scaling/measure.ts';
import type { SteadyStateReport } from '../steady-state/measure.ts';
import type { TrainingReport } from '../training/measure.ts';

export type BenchReport = KernelsReport | OutputLayerReport | ScalingReport | SteadyStateReport | TrainingReport;
export type Measurements = Readonly<Record<string, BenchReport>>;

/** Empty when there is no such file. @throws BenchError `failed` when it is something else. */
export async function readMeasurements(path: string): Promise<Measurements> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    return JSON.parse(text) as Measurements;
  } catch (error) {
    throw new BenchError(
      'failed',
      `${path} is not what bench report writes (${(error as Error).message}); delete it and measure again`,
    );
  }
}

export async function writeMeasurements(path: string, measurements: Measurements): Promise<void> {
  await writeFile(path, `${JSON.stringify(measurements, undefined, 1)}\n`);
}

/** All runs of one bench, in the order of their names. */
export function reportsOf<Name extends BenchReport['bench']>(
  measurements: Measurements,
  bench: Name,
): readonly Extract<BenchReport, { bench: Name }>[] {
  return Object.entries(measurements)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, report]) => report)
    .filter((report): report is Extract<BenchReport, { bench: Name }> => report.bench === bench);
}
