/**
 * `bench rivals`: one training step of every output layer on one backend, by the number of classes, each against the
 * factored layer in the same rounds. Layers are made by the same call as in `vastmax train`. The full softmax is timed
 * on a slice of the classes and scaled where D is large: its time is proportional to D, and the whole would take
 * seconds a step.
 */
import type { Backend } from '@vastmax/linalg-core';
import { Option, type Command } from 'commander';
import {
  backendChoices,
  createBackend,
  resolveBackend,
  type BackendChoice,
  type BackendInUse,
} from './measurement/backend-choice.ts';
import {
  ceilingsFrom,
  copyCompetitor,
  gemmCompetitor,
  restFor,
  squareSize,
  type Ceilings,
} from './measurement/ceilings.ts';
import { timeInterleaved, timingOf } from './measurement/interleaved-timing.ts';
import { scaleSpread } from './measurement/statistics.ts';
import { printReport } from './report/bench-output.ts';
import { describeMachine } from './report/machine.ts';
import { grouped } from './report/numbers.ts';
import { positive, threadCount, wholeNumber, wholeNumbers } from './report/option-values.ts';
import { stageProgress, type ShowStage } from './report/stage-progress.ts';
import { breakEvenClasses, computeBreakEven, type BreakEvenTiming } from './rivals-break-even.ts';
import { entrantNames, factoredName, rivalNames, timedClasses } from './rivals-layers.ts';
import { ratiosOf, rivalsTables, type RivalRow, type RivalsReport } from './rivals-report.ts';
import { timeBeside, type RoundsOptions, type UnavailableEntrant } from './rivals-rounds.ts';

export interface RivalsOptions {
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly classes: readonly number[];
  readonly features: number;
  readonly batch: number;
  readonly layers: readonly string[];
  /** Most classes that the full softmax is timed on. */
  readonly denseRows: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface Options extends RivalsOptions {
  readonly json: boolean;
}

const ceilingRounds = 10;

export function addRivalsCommand(program: Command): void {
  program
    .command('rivals')
    .description('measure a training step of every output layer against the factored one, by the number of classes')
    .option('--json', 'print one JSON object instead of tables', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, 1)
    .option(
      '--classes <list>',
      'numbers of classes, with commas between',
      wholeNumbers(2, 2 ** 31 - 1),
      [10_000, 100_000, 1_000_000],
    )
    .option('--features <d>', 'width of the hidden activations', wholeNumber(1, 8192), 300)
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 128)
    .option('--layers <list>', 'layers beside the factored one, with commas between', entrantNames, rivalNames)
    .option(
      '--dense-rows <count>',
      'time the full softmax on at most so many classes and scale',
      wholeNumber(1024),
      50_000,
    )
    .option('--rounds <count>', 'samples of each layer', wholeNumber(3), 40)
    .option('--seconds <n>', 'begin no further round of a group after so many seconds', positive, 60)
    .addHelpText(
      'after',
      `
Layers have the defaults of vastmax train: the Z-loss for factored, 500 shared
unigram samples for sampled, nce and negative, 100 samples an example for rf and
quadratic, whose trees have leaves of as many classes as make their sums as
large as the class vectors. Options follow a name: sampled:samples=100,
rf:frequencies=256, hybrid:headSize=2000. Width is d and a bias.

As many layers as fit in memory take turns, the factored one always among them;
layers that take tenths of a second a step take turns by themselves. A ratio
is that of medians of the same rounds. What does not fit, or fails, is listed
with the reason.

breakEven is the D at which the full softmax costs as much as the factored layer,
from timings at ${breakEvenClasses.join(', ')} classes.

Examples:
  $ pnpm --silent bench rivals --json
  $ pnpm --silent bench rivals --classes 100000 --layers sampled,adaptive,full`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('rivals');
      const report = await measureRivals(options, show);
      end();
      printReport(report, json, rivalsTables);
    });
}

/** @throws BenchError `memory` when the factored layer does not fit, `failed` when it fails. */
export async function measureRivals(options: RivalsOptions, show: ShowStage): Promise<RivalsReport> {
  const { backend, inUse } = await createBackend(await resolveBackend(options.backend), options.threads);
  try {
    return await measureOn(backend, inUse, options, show);
  } finally {
    await backend.dispose();
  }
}

async function measureOn(
  backend: Backend,
  inUse: BackendInUse,
  options: RivalsOptions,
  show: ShowStage,
): Promise<RivalsReport> {
  const { classes: sizes, features, batch, denseRows, rounds, seconds } = options;
  const layers = options.layers.filter((layer) => layer !== factoredName);
  const roundsOptions: RoundsOptions = { features, batch, restMs: restFor(inUse), rounds, seconds };
  const ceilings = await measureCeilings(backend, inUse, seconds);
  const breakEvenTimings = layers.includes('full') ? await timeBreakEven(backend, roundsOptions, show) : [];
  const rows: RivalRow[] = [];
  const unavailable: UnavailableEntrant[] = [];
  for (const classes of sizes) {
    const showSize: ShowStage = (stage, detail) => {
      show(`D = ${grouped(classes)}: ${stage}`, detail);
    };
    const entrants = layers.map((layer) => ({ layer, classes: timedClasses(layer, classes, denseRows) }));
    const results = await timeBeside(backend, { layer: factoredName, classes }, entrants, roundsOptions, showSize);
    for (const {
      layer,
      classes: timed,
      group,
      milliseconds: slice,
      referenceMs,
      initializationSeconds,
    } of results.timed) {
      const milliseconds = scaleSpread(slice, classes / timed);
      rows.push({
        layer,
        classes,
        medianMs: milliseconds.median,
        milliseconds,
        scaledFrom: timed === classes ? null : timed,
        factoredMs: referenceMs,
        group,
        initializationSeconds,
      });
    }
    unavailable.push(...results.unavailable.map((entrant) => ({ ...entrant, classes })));
  }
  return {
    bench: 'rivals',
    machine: describeMachine(),
    backend: inUse,
    options: { features, batch, layers },
    targets: "Zipf's law, drawn anew for each step",
    rows,
    ratios: ratiosOf(rows),
    unavailable,
    breakEven: computeBreakEven(breakEvenTimings),
    breakEvenTimings,
    ceilings,
  };
}

async function timeBreakEven(backend: Backend, options: RoundsOptions, show: ShowStage): Promise<BreakEvenTiming[]> {
  const [first, ...others] = breakEvenClasses;
  const entrants = [
    ...others.map((classes) => ({ layer: factoredName, classes })),
    ...breakEvenClasses.map((classes) => ({ layer: 'full', classes })),
  ];
  const showStage: ShowStage = (stage, detail) => {
    show(`break-even: ${stage}`, detail);
  };
  const { timed } = await timeBeside(backend, { layer: factoredName, classes: first }, entrants, options, showStage);
  const medianOf = (layer: string, classes: number): number | undefined =>
    timed.find((entrant) => entrant.layer === layer && entrant.classes === classes)?.milliseconds.median;
  const timings: BreakEvenTiming[] = [];
  for (const classes of breakEvenClasses) {
    const fullMs = medianOf('full', classes);
    const factoredMs = medianOf(factoredName, classes);
    if (fullMs !== undefined && factoredMs !== undefined) timings.push({ classes, fullMs, factoredMs });
  }
  return timings;
}

/** Before the layers: a copy of memory between their steps would empty their caches. */
async function measureCeilings(backend: Backend, inUse: BackendInUse, seconds: number): Promise<Ceilings> {
  const square = gemmCompetitor(backend, inUse, squareSize, squareSize, squareSize);
  const copy = copyCompetitor();
  const timings = await timeInterleaved([square, copy], { warmup: 3, rounds: ceilingRounds, seconds });
  return ceilingsFrom(timingOf(timings, square.name), timingOf(timings, copy.name));
}
