/** What `bench hybrid` prints: the report as data, and its tables. */
import type { BackendInUse } from './measurement/backend-choice.ts';
import type { Spread } from './measurement/statistics.ts';
import { machineLine } from './report/bench-output.ts';
import type { Machine } from './report/machine.ts';
import { markdownTable } from './report/markdown-table.ts';
import { figure, grouped, withSpread } from './report/numbers.ts';
import type { Entrant } from './rivals-layers.ts';
import type { UnavailableEntrant } from './rivals-rounds.ts';

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
  readonly reference: Entrant;
  readonly rows: readonly HybridRow[];
  /** The slowest hybrid layer over the fastest, each as medianMs over referenceMs: of medians of the same rounds. */
  readonly flatness: number;
  /** What could not be timed, and why. */
  readonly unavailable: readonly UnavailableEntrant[];
}

/** Of the rows of the hybrid layer. */
export function flatnessOf(rows: readonly HybridRow[]): number {
  const ratios = rows
    .filter(({ layer }) => layer === 'hybrid')
    .map(({ medianMs, referenceMs }) => medianMs / referenceMs);
  return Math.max(...ratios) / Math.min(...ratios);
}

export function hybridTables({
  machine,
  backend,
  options,
  targets,
  reference,
  rows,
  flatness,
  unavailable,
}: HybridReport): string {
  const { features, batch, head } = options;
  return [
    machineLine(machine),
    `${backend.detail}; threads: ${backend.threads}. Head of ${grouped(head)} classes, d = ${features}, m = ${batch}; targets by ${targets}.`,
    markdownTable(
      [
        'classes',
        'layer',
        'ms, median (quartiles)',
        `times the hybrid of ${grouped(reference.classes)}`,
        'scaled from',
        'created in s',
        'group',
      ],
      rows.map((row) => [
        grouped(row.classes),
        row.layer,
        withSpread(row.milliseconds),
        figure(row.medianMs / row.referenceMs),
        row.scaledFrom === null ? '' : grouped(row.scaledFrom),
        figure(row.initializationSeconds),
        String(row.group + 1),
      ]),
    ),
    ...unavailable.map(({ layer, classes, reason }) => `Not timed: ${layer} at ${grouped(classes)} classes: ${reason}`),
    `Flatness, the slowest hybrid over the fastest: ${figure(flatness)}.`,
  ].join('\n\n');
}
