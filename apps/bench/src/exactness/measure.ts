/**
 * `bench exactness`: the factored layer against dense f64 SGD, and its drift over 100,000 steps in f32. What is run and
 * how it is judged is data of @vastmax/spherical-losses/testing, shared with that package's tests.
 */
import type { FactoredLayerCounters } from '@vastmax/spherical-losses';
import {
  type ExactnessCase,
  exactnessMatrix,
  type ExactnessVerdict,
  type FormChoice,
  judgeExactness,
  largestDrift,
  type LongRunOptions,
  longRuns,
  runExactness,
  runLong,
  singularCases,
  rebaseCases,
} from '@vastmax/spherical-losses/testing';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';

export interface ExactnessRow {
  readonly id: string;
  readonly group: 'matrix' | 'rebases' | 'singular';
  readonly loss: string;
  readonly targets: number | 'ragged';
  readonly weightDecay: number;
  readonly precision: 'f32' | 'f64';
  readonly form: FormChoice;
  readonly steps: number;
  readonly learningRate: number;
  /** Relative, at the end. */
  readonly weightError: number;
  /** Relative to the step's largest entry, the worst of all steps. */
  readonly gradientError: number;
  /** The same for dense SGD whose initial weights were moved by one unit in the last place. */
  readonly perturbedWeightError: number;
  readonly perturbedGradientError: number;
  /** ‖W_end − W_start‖/‖W_start‖. */
  readonly movement: number;
  /** The largest drift that verify() reports. */
  readonly drift: number;
  readonly rebases: number;
  readonly singularSteps: number;
  readonly mapsApplied: number;
  readonly seconds: number;
  readonly bound: number;
  readonly criterion: ExactnessVerdict['criterion'];
  readonly pass: boolean;
}

export interface LongRunRow {
  readonly id: string;
  readonly loss: string;
  readonly steps: number;
  readonly learningRate: number;
  readonly gramDrift: number;
  readonly columnSumDrift: number;
  readonly inverseDrift: number;
  readonly firstLoss: number;
  readonly lastLoss: number;
  readonly rebases: number;
  readonly mapsApplied: number;
  readonly seconds: number;
  readonly bound: number;
  readonly pass: boolean;
}

export interface ExactnessReport {
  readonly bench: 'exactness';
  readonly machine: Machine;
  readonly steps: number;
  readonly rows: readonly ExactnessRow[];
  readonly longRuns: readonly LongRunRow[];
  readonly pass: boolean;
}

export const fullSteps = 2000;
export const longStepsPerStep = 50;
const driftBound = 2e-4;

export async function measureExactness(steps: number, show: ShowStage): Promise<ExactnessReport> {
  const cases = [...exactnessMatrix(steps), ...rebaseCases(steps), ...singularCases()];
  const runs = longRuns(steps * longStepsPerStep);
  const total = cases.length + runs.length;
  const rows: ExactnessRow[] = [];
  for (const one of cases) {
    show(`${rows.length}/${total} ${one.id}`);
    rows.push(await measureCase(one, steps));
  }
  const longRows: LongRunRow[] = [];
  for (const run of runs)
    longRows.push(
      await measureLongRun(run, (id, detail) => {
        show(`${rows.length + longRows.length}/${total} ${id}`, detail);
      }),
    );
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
    rebases: counters.rebases,
    singularSteps: counters.singularSteps,
    mapsApplied: counters.transformsApplied,
    seconds: (performance.now() - start) / 1000,
    bound: verdict.bound,
    criterion: verdict.criterion,
    pass: verdict.pass && (steps < fullSteps || showsSomething(group, movement, counters)),
  };
}

/** A run that moved no weights, or ended no rebase epochs where it should, passes nothing. */
function showsSomething(group: ExactnessCase['group'], movement: number, counters: FactoredLayerCounters): boolean {
  if (group === 'singular') return counters.singularSteps === 20;
  return movement > 0.1 && (group === 'matrix' || counters.rebases > 48);
}

async function measureLongRun(options: LongRunOptions, show: ShowStage): Promise<LongRunRow> {
  const start = performance.now();
  const { loss, steps, learningRate } = options;
  const id = `long/${loss.name}/f32`;
  show(id);
  const { firstLoss, lastLoss, verification, counters } = await runLong({
    ...options,
    onProgress: (step) => {
      show(id, `step ${step} of ${steps}`);
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
    rebases: counters.rebases,
    mapsApplied: counters.transformsApplied,
    seconds: (performance.now() - start) / 1000,
    bound: driftBound,
    pass: largestDrift(verification) < driftBound,
  };
}
