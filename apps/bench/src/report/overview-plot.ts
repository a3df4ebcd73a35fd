/**
 * The picture of the README: what a step costs whatever the number of classes, beside one that visits every class. Its
 * letters are twice as large as those of the other plots, so that a phone shows them.
 */
import type { TopLevelSpec } from 'vega-lite';
import { grouped } from '../reporting/numbers.ts';
import { frame } from '../reporting/svg-plot.ts';
import { type Measurements, reportsOf } from './measurements.ts';

const [exact, dense] = ['vastmax, exact', 'every class'] as const;
const colors = ['#0b6e4f', '#b3261e'] as const;
const letters = 20;

/** Of the first backend that was measured; undefined where none was. */
export function overviewPlot(measurements: Measurements): TopLevelSpec | undefined {
  const [report] = reportsOf(measurements, 'scaling');
  if (report === undefined) return undefined;
  const { backend, options, rows } = report;
  const values = rows.flatMap(({ classes, medianMs, denseMs }) => [
    { line: exact, classes, ms: medianMs },
    { line: dense, classes, ms: denseMs },
  ]);
  const last = rows.at(-1)?.classes ?? 0;
  const middle = rows.at(-2)?.classes ?? 0;
  const color = {
    field: 'line',
    type: 'nominal' as const,
    scale: { domain: [exact, dense], range: [...colors] },
    legend: null,
  };
  const x = {
    field: 'classes',
    type: 'quantitative',
    scale: { type: 'log' },
    title: 'classes',
    axis: { format: '~s', values: rows.map(({ classes }) => classes), grid: false },
  } as const;
  const y = {
    field: 'ms',
    type: 'quantitative' as const,
    scale: { type: 'log' as const, domain: [1, 30_000] },
    title: null,
    axis: {
      labelExpr: 'datum.value < 1000 ? datum.value + " ms" : datum.value / 1000 + " s"',
      values: [1, 10, 100, 1000, 10_000],
    },
  };
  return {
    ...frame('', values),
    title: {
      text: 'Time of one training step',
      subtitle: [
        `${options.batch} examples of width ${options.features}, ${backend.name}, ${backend.threads === 1 ? 'one thread' : `${backend.threads} threads`}`,
        `every class: scaled from ${grouped(report.dense.rows)} classes`,
      ],
      anchor: 'start',
      fontSize: letters + 4,
      subtitleFontSize: letters - 3,
      subtitleColor: '#555',
      offset: 16,
    },
    height: 300,
    padding: 14,
    layer: [
      { mark: { type: 'line', strokeWidth: 4, point: { size: 110, filled: true } }, encoding: { x, y, color } },
      {
        mark: { type: 'text', align: 'right', dy: -20, fontSize: letters, fontWeight: 'bold' },
        encoding: { x, y, color, text: { field: 'label', type: 'nominal' } },
        data: {
          values: values
            .filter(({ classes }) => classes === last)
            .map((value) => ({
              ...value,
              label: value.ms < 1000 ? `${value.ms.toFixed(1)} ms` : `${(value.ms / 1000).toFixed(0)} s`,
            })),
        },
      },
      {
        data: { values: values.filter(({ classes }) => classes === middle) },
        mark: { type: 'text', align: 'right', dx: -14, dy: -16, fontSize: letters },
        encoding: { x, y, color, text: { field: 'line', type: 'nominal' } },
      },
    ],
    config: {
      axis: { labelFontSize: letters, titleFontSize: letters, titleFontWeight: 'normal' },
      view: { stroke: null },
    },
  };
}
