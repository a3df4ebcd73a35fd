/** What `bench rivals` prints: the report as data, and its tables. */
import type { BackendInUse } from './measurement/backend-choice.ts';
import type { Ceilings } from './measurement/ceilings.ts';
import type { Spread } from './measurement/statistics.ts';
import { ceilingsLine, machineLine } from './report/bench-output.ts';
import type { Machine } from './report/machine.ts';
import { markdownTable } from './report/markdown-table.ts';
import { figure, grouped, missing, withSpread } from './report/numbers.ts';
import type { BreakEvenTiming } from './rivals-break-even.ts';
import { factoredName } from './rivals-layers.ts';
import type { UnavailableEntrant } from './rivals-rounds.ts';

export interface RivalRow {
  readonly layer: string;
  readonly classes: number;
  /** Of a step over all classes. */
  readonly medianMs: number;
  readonly milliseconds: Spread;
  /** The classes that were timed, when the time of all was computed from theirs; else null. */
  readonly scaledFrom: number | null;
  /** Median of the factored layer in the same rounds. */
  readonly factoredMs: number;
  /** Layers of one number and class count were alive together and took turns. */
  readonly group: number;
  readonly initializationSeconds: number;
}

/** `fullOverFactored` and so on: medianMs over factoredMs of the layer's row; absent for a layer that has none. */
export type RatioRow = { readonly classes: number } & Readonly<Record<`${string}OverFactored`, number>>;

export interface RivalsReport {
  readonly bench: 'rivals';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly options: { readonly features: number; readonly batch: number; readonly layers: readonly string[] };
  readonly targets: "Zipf's law, drawn anew for each step";
  readonly rows: readonly RivalRow[];
  readonly ratios: readonly RatioRow[];
  /** What could not be timed, and why. */
  readonly unavailable: readonly UnavailableEntrant[];
  /** D at which the full softmax costs as much as the factored layer; null when breakEvenTimings do not reach it. */
  readonly breakEven: number | null;
  readonly breakEvenTimings: readonly BreakEvenTiming[];
  readonly ceilings: Ceilings;
}

export function ratiosOf(rows: readonly RivalRow[]): RatioRow[] {
  return [...new Set(rows.map(({ classes }) => classes))].map((classes) => {
    const ratios: { classes: number } & Record<`${string}OverFactored`, number> = { classes };
    for (const row of rows) {
      if (row.classes === classes && row.layer !== factoredName)
        ratios[`${row.layer}OverFactored`] = row.medianMs / row.factoredMs;
    }
    return ratios;
  });
}

export function rivalsTables({
  machine,
  backend,
  options,
  targets,
  rows,
  ratios,
  unavailable,
  breakEven,
  breakEvenTimings,
  ceilings,
}: RivalsReport): string {
  const { features, batch } = options;
  return [
    machineLine(machine),
    `${backend.detail}; threads: ${backend.threads}. d = ${features}, m = ${batch}; targets by ${targets}. The factored layer has the Z-loss.`,
    markdownTable(
      ['classes', 'layer', 'ms, median (quartiles)', 'times the factored step', 'scaled from', 'created in s', 'group'],
      rows.map((row) => [
        grouped(row.classes),
        row.layer,
        withSpread(row.milliseconds),
        figure(ratios.find(({ classes }) => classes === row.classes)?.[`${row.layer}OverFactored`] ?? 1),
        row.scaledFrom === null ? '' : grouped(row.scaledFrom),
        figure(row.initializationSeconds),
        String(row.group + 1),
      ]),
    ),
    ...unavailable.map(({ layer, classes, reason }) => `Not timed: ${layer} at ${grouped(classes)} classes: ${reason}`),
    ...(breakEvenTimings.length === 0
      ? []
      : [
          markdownTable(
            ['classes', 'full ms', 'factored ms', 'full over factored'],
            breakEvenTimings.map(({ classes, fullMs, factoredMs }) => [
              grouped(classes),
              figure(fullMs),
              figure(factoredMs),
              figure(fullMs / factoredMs),
            ]),
          ),
          `The full softmax costs as much as the factored layer at ${breakEven === null ? missing : grouped(breakEven)} classes.`,
        ]),
    ceilingsLine(ceilings),
  ].join('\n\n');
}
