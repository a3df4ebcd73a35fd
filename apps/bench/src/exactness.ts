/**
 * `bench exactness`: the factored layer against dense f64 SGD, and its drift over 100,000 steps in f32. What is run and
 * how it is judged is data of @vastmax/spherical-losses/testing, shared with that package's tests.
 */
import { readFile } from 'node:fs/promises';
import {
  exactnessMatrix,
  rebaseCases,
  judgeExactness,
  largestDrift,
  longRuns,
  runExactness,
  runLong,
  singularCases,
  type ExactnessCase,
  type LongRunOptions,
} from '@vastmax/spherical-losses/testing';
import type { FactoredLayerCounters } from '@vastmax/spherical-losses';
import { InvalidArgumentError, type Command } from 'commander';
import { exactnessTables, type ExactnessReport, type ExactnessRow, type LongRunRow } from './exactness-report.ts';
import { describeMachine } from './report/machine.ts';
import { Progress } from './report/progress.ts';

const fullSteps = 2000;
const longStepsPerStep = 50;
const driftBound = 2e-4;

interface Options {
  readonly json: boolean;
  readonly steps: number;
  readonly from: string | undefined;
}

export function addExactnessCommand(program: Command): void {
  program
    .command('exactness')
    .description('measure the errors of the factored layer against dense SGD in f64, and its drift in long f32 runs')
    .option('--json', 'print one JSON object instead of tables', false)
    .option(
      '--steps <count>',
      `steps of each run against dense SGD; the long runs take ${longStepsPerStep} times as many`,
      parseSteps,
      fullSteps,
    )
    .option('--from <file>', 'print the tables of a report that --json wrote, and measure nothing')
    .action(async (options: Options) => {
      const report =
        options.from === undefined
          ? await measure(options.steps)
          : (JSON.parse(await readFile(options.from, 'utf8')) as ExactnessReport);
      // One write at the very end: an interrupted run has printed nothing on stdout.
      process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : exactnessTables(report));
      if (!report.pass) process.exitCode = 1;
    });
}

function parseSteps(text: string): number {
  const steps = Number(text);
  if (!Number.isSafeInteger(steps) || steps < 1)
    throw new InvalidArgumentError(`expected a whole number of at least 1, got '${text}'.`);
  return steps;
}

async function measure(steps: number): Promise<ExactnessReport> {
  const cases = [...exactnessMatrix(steps), ...rebaseCases(steps), ...singularCases()];
  const runs = longRuns(steps * longStepsPerStep);
  const progress = new Progress(cases.length + runs.length);
  const rows: ExactnessRow[] = [];
  for (const one of cases) {
    progress.show(one.id);
    rows.push(await measureCase(one, steps));
    progress.completed();
  }
  const longRows: LongRunRow[] = [];
  for (const run of runs) {
    longRows.push(await measureLongRun(run, progress));
    progress.completed();
  }
  progress.end();
  return {
    bench: 'exactness',
    machine: describeMachine(),
    steps,
    rows,
    longRuns: longRows,
    pass: rows.every(({ pass }) => pass) && longRows.every(({ pass }) => pass),
  };
}

async function measureCase({ id, group, form, options }: ExactnessCase, steps: number): Promise<ExactnessRow> {
  const start = performance.now();
  const result = await runExactness(options);
  const verdict = judgeExactness(result, options.precision);
  const { weightError, gradientError, perturbedWeightError, perturbedGradientError, movement, counters, verification } =
    result;
  return {
    id,
    group,
    loss: options.loss.name,
    targets: options.targets,
    weightDecay: options.weightDecay ?? 0,
    precision: options.precision,
    form,
    steps: options.steps,
    learningRate: options.learningRate,
    weightError,
    gradientError,
    perturbedWeightError,
    perturbedGradientError,
    movement,
    drift: largestDrift(verification),
    generationsClosed: counters.rebases,
    singularSteps: counters.singularSteps,
    mapsApplied: counters.transformsApplied,
    seconds: (performance.now() - start) / 1000,
    bound: verdict.bound,
    criterion: verdict.criterion,
    pass: verdict.pass && (steps < fullSteps || showsSomething(group, movement, counters)),
  };
}

/** A run that moved no weights, or closed no generations where it should, passes nothing. */
function showsSomething(group: ExactnessCase['group'], movement: number, counters: FactoredLayerCounters): boolean {
  if (group === 'singular') return counters.singularSteps === 20;
  return movement > 0.1 && (group === 'matrix' || counters.rebases > 48);
}

async function measureLongRun(options: LongRunOptions, progress: Progress): Promise<LongRunRow> {
  const start = performance.now();
  const { loss, steps, learningRate } = options;
  const id = `long/${loss.name}/f32`;
  progress.show(id);
  const { firstLoss, lastLoss, verification, counters } = await runLong({
    ...options,
    onProgress: (step) => {
      progress.show(id, `step ${step} of ${steps}`);
    },
  });
  const { gramDrift, columnSumDrift, inverseDrift } = verification;
  return {
    id,
    loss: loss.name,
    steps,
    learningRate,
    gramDrift,
    columnSumDrift,
    inverseDrift,
    firstLoss,
    lastLoss,
    generationsClosed: counters.rebases,
    mapsApplied: counters.transformsApplied,
    seconds: (performance.now() - start) / 1000,
    bound: driftBound,
    pass: largestDrift(verification) < driftBound,
  };
}
