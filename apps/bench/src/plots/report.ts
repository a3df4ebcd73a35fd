/** The plots of docs/which-output-layer.md, each from the JSON that one bench printed. */
import type { TopLevelSpec } from 'vega-lite';
import type { QualityReport } from '../quality/summarize-runs.ts';
import { frame, labelLimit } from '../reporting/svg-plot.ts';
import type { RivalsReport } from '../rivals/measure.ts';
import type { SamplingBiasReport } from '../sampling-bias/measure.ts';

const byName = {
  type: 'nominal',
  sort: null,
  title: null,
  scale: { scheme: 'tableau10' },
  legend: { labelLimit },
} as const;

/** Time of a step against D, one line a layer. */
export function rivalsPlot({ rows, options }: RivalsReport): TopLevelSpec {
  const values = rows.map(({ layer, classes, medianMs }) => ({ layer, classes, ms: medianMs }));
  const classes = [...new Set(values.map((value) => value.classes))];
  return {
    ...frame(`Time of a training step, d = ${options.features}, m = ${options.batch}`, values),
    height: 320,
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'classes',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'classes',
        axis: { format: '~s', values: classes },
      },
      y: {
        field: 'ms',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'ms a step',
        axis: { format: ',~g', tickCount: 6 },
      },
      color: { field: 'layer', ...byName, scale: { scheme: 'category20' } },
    },
  };
}

/** Top-10 at equal time by layer and by the frequency of the target, means over the seeds. */
export function equalTimePlot({ rows, budgetSeconds, corpus }: QualityReport): TopLevelSpec {
  const runs = rows.filter(({ setting, diverged }) => setting === 'equal-time' && diverged === null);
  const values = [...new Set(runs.map(({ name }) => name))].flatMap((name) => {
    const own = runs.filter((run) => run.name === name);
    const mean = (of: (run: (typeof own)[number]) => number): number =>
      (100 * own.reduce((sum, run) => sum + of(run), 0)) / own.length;
    return [
      { layer: name, measure: 'top-1', accuracy: mean((run) => run.metrics?.top1 ?? 0) },
      { layer: name, measure: 'top-10', accuracy: mean((run) => run.metrics?.top10 ?? 0) },
      { layer: name, measure: 'top-100', accuracy: mean((run) => run.metrics?.top100 ?? 0) },
    ];
  });
  return {
    ...frame(
      `Held-out accuracy after ${budgetSeconds ?? 0} s of training, ${corpus.name.replace(/.*[\\/]/, '')}`,
      values,
    ),
    height: { step: 24 },
    mark: { type: 'point', filled: true, size: 70 },
    encoding: {
      y: {
        field: 'layer',
        type: 'nominal',
        title: null,
        sort: { field: 'accuracy', op: 'mean', order: 'descending' },
        axis: { labelLimit, grid: true },
      },
      x: { field: 'accuracy', type: 'quantitative', title: 'per cent of held-out words' },
      color: { field: 'measure', ...byName },
    },
  };
}

/**
 * Relative bias of the gradient against the number of samples, one line a proposal; of the kernels that with the least
 * bias at the fewest samples, where it is known best.
 */
export function samplingBiasPlot({ rows, temperature }: SamplingBiasReport): TopLevelSpec {
  const fewest = Math.min(...rows.map(({ samples }) => samples));
  const least = new Map<string, (typeof rows)[number]>();
  for (const row of rows) {
    const best = least.get(row.proposal);
    // Draws from the softmax itself have no bias but the noise of its estimate.
    if (
      row.proposal !== 'softmax' &&
      row.samples === fewest &&
      (best === undefined || row.relativeBias < best.relativeBias)
    )
      least.set(row.proposal, row);
  }
  const values = rows
    .filter(
      ({ proposal, features, nu, relativeBias }) =>
        relativeBias > 0 && features === least.get(proposal)?.features && nu === least.get(proposal)?.nu,
    )
    .map(({ proposal, samples, features, relativeBias }) => ({
      proposal: features === null ? proposal : `${proposal}, R = ${features}`,
      samples,
      relativeBias,
    }));
  return {
    ...frame(`Bias of the sampled gradient, relative to its norm, τ = ${temperature}`, values),
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'samples',
        type: 'quantitative',
        scale: { type: 'log' },
        axis: { values: [...new Set(values.map(({ samples }) => samples))] },
      },
      y: { field: 'relativeBias', type: 'quantitative', scale: { type: 'log' }, title: 'relative bias' },
      color: { field: 'proposal', ...byName },
    },
  };
}
