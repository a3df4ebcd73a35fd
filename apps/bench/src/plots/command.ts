/**
 * `bench plots`: the plots of docs/which-output-layer.md from the JSON that the benches printed; it measures nothing.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { TopLevelSpec } from 'vega-lite';
import { BenchError } from '../measurement/bench-error.ts';
import type { QualityReport } from '../quality/summarize-runs.ts';
import type { RivalsReport } from '../rivals/measure.ts';
import type { SamplingBiasReport } from '../sampling-bias/measure.ts';

type PlottedReport = RivalsReport | QualityReport | SamplingBiasReport;

export function addPlotsCommand(program: Command): void {
  program
    .command('plots')
    .description('draw what rivals, quality and sampling-bias printed with --json, as SVG')
    .argument('<report...>', 'JSON files')
    .option('-o, --out <folder>', 'where the plots go', 'docs/plots')
    .addHelpText(
      'after',
      `
Examples:
  $ pnpm --silent bench rivals --json > rivals.json
  $ pnpm --silent bench plots rivals.json`,
    )
    .action(async (files: readonly string[], { out }: { readonly out: string }) => {
      const plots: [string, TopLevelSpec][] = [];
      for (const file of files) plots.push(await plotOf(await readReport(file)));
      const { renderSvg } = await import('../reporting/svg-plot.ts');
      await mkdir(out, { recursive: true });
      for (const [name, specification] of plots) {
        const path = join(out, `${name}.svg`);
        await writeFile(path, `${await renderSvg(specification)}\n`);
        process.stdout.write(`${path}\n`);
      }
    });
}

async function plotOf(report: PlottedReport): Promise<[string, TopLevelSpec]> {
  const { equalTimePlot, rivalsPlot, samplingBiasPlot } = await import('./report.ts');
  switch (report.bench) {
    case 'rivals':
      return ['rivals', rivalsPlot(report)];
    case 'quality':
      return [`equal-time-${report.corpus.name.replace(/.*[\\/]/, '')}`, equalTimePlot(report)];
    case 'sampling-bias':
      return ['sampling-bias', samplingBiasPlot(report)];
  }
}

async function readReport(file: string): Promise<PlottedReport> {
  let report: unknown;
  try {
    report = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new BenchError('bad-option', `${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const bench: unknown = typeof report === 'object' && report !== null && 'bench' in report ? report.bench : undefined;
  if (bench === 'rivals' || bench === 'quality' || bench === 'sampling-bias') return report as PlottedReport;
  throw new BenchError(
    'bad-option',
    `${file}: expected the JSON of rivals, quality or sampling-bias, found ${bench === undefined ? 'no bench' : JSON.stringify(bench)}`,
  );
}
