/** What `bench exactness` prints: the report as data, and its tables. */
import { markdownTable } from '../reporting/markdown-table.ts';
import { scientific } from '../reporting/numbers.ts';
import type { ExactnessReport, ExactnessRow, LongRunRow } from './measure.ts';

/** The matrix with the worst of the three forms a line, the other runs one by one. */
export function exactnessTables({ machine, rows, longRuns, pass }: ExactnessReport): string {
  const matrix = rows.filter(({ group }) => group === 'matrix');
  const others = rows.filter(({ group }) => group !== 'matrix');
  return [
    `node ${machine.node}, ${machine.platform}, ${machine.processor}, ${machine.cores} cores, ${machine.date}; verdict: ${verdict(pass)}`,
    `### Against dense SGD, ${matrix[0]?.steps ?? 0} steps, the worst of three forms`,
    matrixTable(matrix),
    '### Dozens of rebase epochs, and singular steps',
    othersTable(others),
    '### Long runs in f32: d = 16, D = 2,000, m = 8',
    longTable(longRuns),
    '',
  ].join('\n\n');
}

function matrixTable(rows: readonly ExactnessRow[]): string {
  const groups = groupsOf(rows);
  return markdownTable(
    ['loss', 'K', 'decay', 'stored in', 'weights', 'perturbed', 'gradients', 'perturbed', 'moved', 'verdict'],
    [...groups.values()].map((forms) => {
      const [{ loss, targets, weightDecay, precision }] = forms as [ExactnessRow];
      const worst = (value: (row: ExactnessRow) => number): string => scientific(Math.max(...forms.map(value)));
      return [
        loss,
        String(targets),
        weightDecay === 0 ? 'no' : 'yes',
        precision,
        worst((row) => row.weightError),
        worst((row) => row.perturbedWeightError),
        worst((row) => row.gradientError),
        worst((row) => row.perturbedGradientError),
        Math.min(...forms.map(({ movement }) => movement)).toFixed(2),
        forms.map(verdictOf).find((text) => text !== 'within bound') ?? 'within bound',
      ];
    }),
  );
}

function othersTable(rows: readonly ExactnessRow[]): string {
  return markdownTable(
    [
      'run',
      'form',
      'stored in',
      'steps',
      'rebases',
      'singular',
      'maps a step',
      'weights',
      'perturbed',
      'gradients',
      'perturbed',
      'verdict',
    ],
    rows.map((row) => [
      row.group,
      row.form,
      row.precision,
      String(row.steps),
      String(row.rebases),
      String(row.singularSteps),
      (row.mapsApplied / row.steps).toFixed(1),
      scientific(row.weightError),
      scientific(row.perturbedWeightError),
      scientific(row.gradientError),
      scientific(row.perturbedGradientError),
      verdictOf(row),
    ]),
  );
}

function longTable(rows: readonly LongRunRow[]): string {
  return markdownTable(
    [
      'loss',
      'steps',
      'drift of C',
      'of the column sum',
      'of the inverse',
      'rebases',
      'maps a step',
      'first loss',
      'last loss',
      'verdict',
    ],
    rows.map((row) => [
      row.loss,
      String(row.steps),
      scientific(row.gramDrift),
      scientific(row.columnSumDrift),
      scientific(row.inverseDrift),
      String(row.rebases),
      (row.mapsApplied / row.steps).toFixed(2),
      row.firstLoss.toFixed(3),
      row.lastLoss.toFixed(3),
      verdict(row.pass),
    ]),
  );
}

/** The rows that differ in their form only. */
function groupsOf(rows: readonly ExactnessRow[]): Map<string, ExactnessRow[]> {
  const groups = new Map<string, ExactnessRow[]>();
  for (const row of rows) {
    const key = [row.loss, row.targets, row.weightDecay, row.precision].join(' ');
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return groups;
}

function verdictOf({ pass, criterion }: ExactnessRow): string {
  if (!pass) return verdict(pass);
  return criterion === 'bound' ? 'within bound' : 'within 20× perturbed';
}

function verdict(pass: boolean): string {
  return pass ? 'pass' : 'FAIL';
}
