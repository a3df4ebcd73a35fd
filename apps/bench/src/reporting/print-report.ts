/** One write to stdout at the very end: an interrupted bench has printed nothing there. */
import type { BackendInUse, BackendName } from '../measurement/backend-choice.ts';
import type { Ceilings } from '../measurement/ceilings.ts';
import type { Machine } from './machine.ts';
import { figure } from './numbers.ts';

export function printReport<Report>(report: Report, json: boolean, tables: (report: Report) => string): void {
  process.stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : `${tables(report)}\n`);
}

/** The line above a table that says where it was measured. */
export function machineLine({ node, platform, processor, cores, memoryGiB, date }: Machine): string {
  return `${processor}, ${cores} cores, ${memoryGiB} GiB, ${platform}, node ${node}, ${date}`;
}

/** The backends of a bench and those it could not have, as a list. */
export function backendLines(
  backends: readonly BackendInUse[],
  unavailable: readonly { readonly backend: BackendName; readonly reason: string }[],
): string {
  return [
    ...backends.map(({ name, threads, detail }) => `- ${name}, threads: ${threads}: ${detail}`),
    ...unavailable.map(({ backend, reason }) => `- ${backend} is not available: ${reason}`),
  ].join('\n');
}

export function ceilingsLine({ gemmGflops, copyGigabytesPerSecond }: Ceilings): string {
  return `Ceilings in the same run: ${figure(gemmGflops)} GFLOP/s for the 512×512×512 product, ${figure(copyGigabytesPerSecond)} GB/s for a copy of memory.`;
}
