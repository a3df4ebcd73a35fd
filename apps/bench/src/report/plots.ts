/** The plots of docs/performance.md, and that of the README. */
import type { TopLevelSpec } from 'vega-lite';
import { frame, labelLimit, type PlotValue } from '../reporting/svg-plot.ts';
import { type Measurements, reportsOf } from './measurements.ts';
import { overviewPlot } from './overview-plot.ts';

/** File name without ending, to the specification; only of what was measured. */
export function plotSpecifications(measurements: Measurements): ReadonlyMap<string, TopLevelSpec> {
  const plots: readonly (readonly [string, readonly PlotValue[], (values: readonly PlotValue[]) => TopLevelSpec])[] = [
    ['gemm', gemmValues(measurements), gemmPlot],
    ['scaling', scalingValues(measurements), scalingPlot],
    ['training', trainingValues(measurements), trainingPlot],
    ['step', stepValues(measurements), stepPlot],
  ];
  const overview = overviewPlot(measurements);
  return new Map([
    ...(overview === undefined ? [] : [['overview', overview] as const]),
    ...plots.filter(([, values]) => values.length > 0).map(([name, values, plot]) => [name, plot(values)] as const),
  ]);
}

function named(backend: string, threads: number): string {
  return `${backend}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}

function gemmValues(measurements: Measurements): PlotValue[] {
  return reportsOf(measurements, 'kernels').flatMap(({ results }) =>
    results.map(({ backend, threads, m, n, k, gflops }) => ({
      backend: named(backend, threads),
      shape: `${m}×${n}×${k}`,
      gflops,
    })),
  );
}

function gemmPlot(values: readonly PlotValue[]): TopLevelSpec {
  return {
    ...frame('Matrix products by shape', values),
    mark: 'bar',
    encoding: {
      x: { field: 'shape', type: 'nominal', sort: null, title: 'm×n×k', axis: { labelAngle: 0 } },
      xOffset: { field: 'backend', sort: null },
      y: { field: 'gflops', type: 'quantitative', title: 'GFLOP/s' },
      color: { field: 'backend', type: 'nominal', sort: null, title: null },
    },
  };
}

function scalingValues(measurements: Measurements): PlotValue[] {
  return reportsOf(measurements, 'scaling').flatMap(({ backend, rows }) =>
    rows.flatMap(({ classes, medianMs, denseMs }) => [
      { line: `factored, ${named(backend.name, backend.threads)}`, classes, ms: medianMs },
      { line: `dense, ${named(backend.name, backend.threads)}`, classes, ms: denseMs },
    ]),
  );
}

function scalingPlot(values: readonly PlotValue[]): TopLevelSpec {
  return {
    ...frame('Time of a training step against the number of classes', values),
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'classes',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'classes',
        axis: { format: '~s', values: [...new Set(values.map(({ classes }) => Number(classes)))] },
      },
      y: {
        field: 'ms',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'ms a step',
        axis: { format: ',~g', tickCount: 6 },
      },
      color: { field: 'line', type: 'nominal', sort: null, title: null, legend: { labelLimit } },
    },
  };
}

function trainingValues(measurements: Measurements): PlotValue[] {
  return reportsOf(measurements, 'training').flatMap(({ rows }) =>
    rows.map(({ backend, threads, examplesPerSecond }) => ({
      backend: named(backend, threads),
      rate: examplesPerSecond,
    })),
  );
}

function trainingPlot(values: readonly PlotValue[]): TopLevelSpec {
  return {
    ...frame('Training the whole language model', values),
    height: { step: 28 },
    mark: 'bar',
    encoding: {
      y: { field: 'backend', type: 'nominal', sort: null, title: null },
      x: { field: 'rate', type: 'quantitative', title: 'examples/s' },
    },
  };
}

function stepValues(measurements: Measurements): PlotValue[] {
  return reportsOf(measurements, 'output-layer').flatMap(({ backend, options, profile }) =>
    (profile?.groups ?? []).map(({ group, share }) => ({
      step: `${named(backend.name, backend.threads)}, m = ${options.batch}`,
      group,
      share,
    })),
  );
}

function stepPlot(values: readonly PlotValue[]): TopLevelSpec {
  return {
    ...frame('Where the time of a factored step goes', values),
    height: { step: 36 },
    mark: 'bar',
    encoding: {
      y: { field: 'step', type: 'nominal', sort: null, title: null, axis: { labelLimit } },
      x: {
        field: 'share',
        type: 'quantitative',
        stack: 'normalize',
        title: 'share of the step',
        axis: { format: '%' },
      },
      color: {
        field: 'group',
        type: 'nominal',
        sort: null,
        title: null,
        scale: { scheme: 'tableau20' },
        legend: { labelLimit },
      },
    },
  };
}
