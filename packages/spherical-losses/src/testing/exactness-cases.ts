/**
 * The runs that test exactness, as data: the tests run them, and `pnpm bench exactness` prints them. Rates and scales
 * are such that training changes the weights by more than a tenth and dense SGD itself is not chaotic: at larger rates
 * the spherical softmax amplifies one rounding error of f32 past the bound in any implementation.
 */
import type { Precision } from '@vastmax/linalg-core';
import type { UpdateForm } from '../factored/layer-options.ts';
import type { ReferenceLoss } from './dense-reference.ts';
import type { ExactnessOptions, ExactnessResult } from './exactness-run.ts';

const allTargets: readonly ExactnessOptions['targets'][] = [1, 3, 'ragged'];

interface LossSetting {
  readonly loss: ReferenceLoss;
  readonly learningRate: number;
  readonly initialScale: number;
  /** Targets of each example; all three kinds unless given. */
  readonly targets?: readonly ExactnessOptions['targets'][];
}

const settings: readonly LossSetting[] = [
  { loss: { name: 'squared-error', targetValue: 1 }, learningRate: 0.02, initialScale: 0.1 },
  { loss: { name: 'spherical-softmax', epsilon: 1 }, learningRate: 0.002, initialScale: 0.1 },
  { loss: { name: 'taylor-softmax' }, learningRate: 0.007, initialScale: 0.1 },
  { loss: { name: 'z-loss', a: 0.1, b: 10 }, learningRate: 0.05, initialScale: 0.3 },
  {
    loss: { name: 'implicit', unobservedWeight: 0.05 },
    learningRate: 0.02,
    initialScale: 0.1,
    targets: [3, 'ragged'],
  },
  { loss: { name: 'rg2', pull: 1 }, learningRate: 0.02, initialScale: 0.1, targets: ['ragged'] },
  { loss: { name: 'rgx', pull: 2, interaction: 0.3 }, learningRate: 0.02, initialScale: 0.1, targets: [3] },
];

/** The form of the step; `auto` lets the layer choose. */
export type FormChoice = UpdateForm | 'auto';

/** One comparison with dense SGD: a loss, sizes and a form of the step. */
export interface ExactnessCase {
  readonly group: 'matrix' | 'rebases' | 'singular';
  /** `matrix/z-loss/K=3/decay/f32/row`. */
  readonly id: string;
  readonly form: FormChoice;
  readonly options: ExactnessOptions;
}

/**
 * Seven losses × K ∈ {1, 3, ragged}, some of them for the quadratic losses of implicit feedback, × without and with weight decay × precision × small-batch form, row form and the
 * layer's own choice.
 */
export function exactnessMatrix(steps = 2000): readonly ExactnessCase[] {
  const cases: ExactnessCase[] = [];
  for (const { loss, learningRate, initialScale, targets: kinds = allTargets } of settings) {
    for (const targets of kinds) {
      for (const weightDecay of [0, 1e-4 / learningRate]) {
        for (const precision of ['f64', 'f32'] as const) {
          for (const form of ['small-batch', 'row', 'auto'] as const) {
            // The layer's own choice changes from step to step where m is near d.
            const batch = form === 'auto' ? 12 : 6;
            cases.push({
              group: 'matrix',
              id: `matrix/${loss.name}/K=${targets}/${weightDecay === 0 ? 'no decay' : 'decay'}/${precision}/${form}`,
              form,
              options: {
                loss,
                targets,
                weightDecay,
                precision,
                steps,
                learningRate,
                initialScale,
                batch,
                classes: 120,
                width: 8,
                ...(form === 'auto' ? {} : { form }),
              },
            });
          }
        }
      }
    }
  }
  return cases;
}

/**
 * Squared error at a rate where U shrinks fast: dozens of rebases in both precisions, with background conversion
 * active.
 */
export function rebaseCases(steps = 2000): readonly ExactnessCase[] {
  return eachPrecisionAndForm((precision, form) => ({
    group: 'rebases',
    id: `rebases/squared-error/K=3/${precision}/${form}`,
    form,
    options: {
      loss: { name: 'squared-error', targetValue: 1 },
      precision,
      form,
      steps,
      learningRate: 0.08,
      initialScale: 0.3,
      targets: 3,
      batch: 6,
      classes: 400,
      width: 8,
    },
  }));
}

/** One example a batch, every tenth scaled so that 1 − 2η‖h‖² = 0: twenty singular steps in two hundred. */
export function singularCases(): readonly ExactnessCase[] {
  return eachPrecisionAndForm((precision, form) => ({
    group: 'singular',
    id: `singular/squared-error/K=3/${precision}/${form}`,
    form,
    options: {
      loss: { name: 'squared-error', targetValue: 1 },
      precision,
      form,
      steps: 200,
      learningRate: 0.01,
      initialScale: 0.3,
      targets: 3,
      batch: 1,
      classes: 120,
      width: 8,
      singularEvery: 10,
    },
  }));
}

function eachPrecisionAndForm(
  make: (precision: Precision, form: UpdateForm) => ExactnessCase,
): readonly ExactnessCase[] {
  return (['f64', 'f32'] as const).flatMap((precision) =>
    (['small-batch', 'row'] as const).map((form) => make(precision, form)),
  );
}

/** Whether the errors are within the bound, or no larger than those of a perturbed dense run. */
export interface ExactnessVerdict {
  readonly pass: boolean;
  /**
   * `bound`: both errors are within it; `perturbed`: one is not, but neither is worse than 20 times the perturbed dense
   * run's.
   */
  readonly criterion: 'bound' | 'perturbed' | 'none';
  /** 1e-11 in f64, 5e-5 in f32, relative. */
  readonly bound: number;
}

/**
 * Compares the factored run with the bound, or else with the effect of one unit in the last place on dense SGD itself.
 */
export function judgeExactness(result: ExactnessResult, precision: Precision): ExactnessVerdict {
  const bound = precision === 'f64' ? 1e-11 : 5e-5;
  const errors = [
    [result.weightError, result.perturbedWeightError],
    [result.gradientError, result.perturbedGradientError],
  ] as const;
  if (errors.every(([error]) => error <= bound)) return { pass: true, criterion: 'bound', bound };
  const comparable = errors.every(([error, perturbed]) => error <= Math.max(bound, 20 * perturbed));
  return { pass: comparable, criterion: comparable ? 'perturbed' : 'none', bound };
}
