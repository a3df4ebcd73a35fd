/** The built-in losses, each one expression, and their names for configuration files and checkpoints. */
import {
  add,
  divide,
  log,
  negate,
  scale,
  shift,
  softplus,
  sqrt,
  square,
  subtract,
  type Variable,
} from '@vastmax/autodiff';
import { OptionError } from '@vastmax/linalg-core';
import { checkPositive, defineSphericalLoss, type ScoreTerms, type SphericalLoss, type TargetTerms } from './loss.ts';

/** The sharpness a and the margin b of the Z-loss (arXiv:1604.08859). */
export interface ZLossOptions {
  /** Sharpness, 0.1 unless given; a smaller value distinguishes less between ranks (0.05 for top-1 and MRR). */
  readonly a?: number;
  /** Margin in standard deviations, 10 unless given (20 to 40 with a = 0.05). */
  readonly b?: number;
}

/**
 * The Z-loss of A. de Brébisson and P. Vincent (arXiv:1604.08859): (1/a)·softplus(a(b − z_c)) with z_c = (o_c − μ)/σ,
 * the target's output standardised by the mean and deviation of all D outputs. It does not change when all outputs are
 * shifted or scaled, so it ranks well and gives no probabilities. It is undefined when all outputs are equal: start
 * from random weights.
 *
 * Not the "z-loss" of large language models, which penalises the log-partition of a softmax and has only the name in
 * common.
 */
export function zLoss(options: ZLossOptions = {}): SphericalLoss {
  const { a = 0.1, b = 10 } = options;
  checkPositive('z-loss', 'a', a);
  if (!Number.isFinite(b)) throw new OptionError(`z-loss: b must be a finite number, got ${b}`);
  return defineSphericalLoss({
    name: 'z-loss',
    options: { a, b },
    perTarget: ({ s, squaredDeviations, output, classes }) => {
      const mean = scale(s, 1 / classes);
      const deviation = sqrt(scale(squaredDeviations, 1 / classes));
      const z = divide(subtract(output, mean), deviation);
      return scale(softplus(scale(shift(negate(z), b), a)), 1 / a);
    },
  });
}

/** What is added to each squared score, so that no probability is 0; one number, or one for each class. */
export interface SphericalSoftmaxOptions {
  /** Added to each squared output, so that no probability is 0: one number (1 unless given), or one for each class. */
  readonly epsilon?: number | ArrayLike<number>;
}

/**
 * −log p_c with p_c = (o_c² + ε_c)/(q + Σε) (arXiv:1511.05042 §3). The sign of an output does not matter. With one ε
 * for each class, say proportional to a power of its frequency, it starts from a prior.
 */
export function sphericalSoftmax(options: SphericalSoftmaxOptions = {}): SphericalLoss {
  const { epsilon = 1 } = options;
  if (typeof epsilon === 'number') {
    checkPositive('spherical-softmax', 'epsilon', epsilon);
    return defineSphericalLoss({
      name: 'spherical-softmax',
      options: { epsilon },
      isNormalized: true,
      perTarget: ({ q, output, classes }) =>
        subtract(log(shift(q, classes * epsilon)), log(shift(square(output), epsilon))),
      // Without ε, which would round small squares away.
      score: ({ output }) => square(output),
      unnormalizedProbability: ({ output }) => shift(square(output), epsilon),
    });
  }
  for (let index = 0; index < epsilon.length; index++)
    checkPositive('spherical-softmax', `epsilon of class ${index}`, epsilon[index]!);
  return defineSphericalLoss({
    name: 'spherical-softmax-with-prior',
    isNormalized: true,
    classConstants: epsilon,
    perTarget: ({ q, output, constant, constantSum }) => {
      if (constant === undefined)
        throw new OptionError('spherical-softmax: the layer passed no constants for its classes');
      return subtract(log(shift(q, constantSum)), log(add(square(output), constant)));
    },
    score: withConstant,
    unnormalizedProbability: withConstant,
  });
}

function withConstant({ output, constant }: ScoreTerms): Variable {
  return constant === undefined ? square(output) : add(square(output), constant);
}

/**
 * −log p_c with p_c = (1 + o_c + o_c²/2)/(D + s + q/2): the second-order Taylor expansion of the softmax around 0,
 * which is always positive (arXiv:1511.05042 §3.2).
 */
export function taylorSoftmax(): SphericalLoss {
  return defineSphericalLoss({
    name: 'taylor-softmax',
    isNormalized: true,
    perTarget: ({ q, s, output, classes }) =>
      subtract(log(shift(add(s, scale(q, 0.5)), classes)), log(shift(add(output, scale(square(output), 0.5)), 1))),
    score: ({ output }) => add(output, scale(square(output), 0.5)),
    unnormalizedProbability: ({ output }) => shift(add(output, scale(square(output), 0.5)), 1),
  });
}

/** The score that targets are drawn to; the others are drawn to 0. */
export interface SquaredErrorOptions {
  /** What a target of weight 1 should be; all other classes should be 0. 1 unless given; 10 trains language models. */
  readonly targetValue?: number;
}

/**
 * ‖o − y‖² = q − 2Σ y_c o_c + Σ y_c² with y_c = targetValue·weight (arXiv:1412.7091). An example without targets still
 * costs q.
 */
export function squaredError(options: SquaredErrorOptions = {}): SphericalLoss {
  const { targetValue = 1 } = options;
  checkPositive('squared-error', 'targetValue', targetValue);
  return defineSphericalLoss({
    name: 'squared-error',
    options: { targetValue },
    targetScale: targetValue,
    // y·(y − 2o): the layer multiplies by y.
    perTarget: ({ output, weight }) => subtract(weight, scale(output, 2)),
    perExample: ({ q }) => q,
  });
}

/** The weight of all classes that are not targets. */
export interface ImplicitLossOptions {
  /** a₀, the weight of the squared outputs of all classes; 0.01 unless given. */
  readonly unobservedWeight?: number;
}

/**
 * a₀‖o‖² + Σ y_c (o_c − 1)²: the squared error of implicit feedback (Y. Hu, Y. Koren, C. Volinsky, ICDM 2008; as iALS in
 * arXiv:2110.14037 §3). Every class has a small weight towards 0, an observed one the weight y_c towards 1. A smaller a₀
 * takes a class that was not observed less for a rejected one.
 */
export function implicitLoss(options: ImplicitLossOptions = {}): SphericalLoss {
  const { unobservedWeight = 0.01 } = options;
  checkPositive('implicit', 'unobservedWeight', unobservedWeight);
  return defineSphericalLoss({
    name: 'implicit',
    options: { unobservedWeight },
    perTarget: ({ output }) => square(shift(output, -1)),
    perExample: ({ q }) => scale(q, unobservedWeight),
  });
}

/** The weight of a target's square, and what is taken off the weight of all squares. */
export interface RgxLossOptions {
  /** a, the weight of a target's square, 1 unless given. A target's output is drawn to 1 + 1/(2a), all others to −1. */
  readonly pull?: number;
  /** b, what is taken off the weight of all squares, from 0 to below 1; 0.01 unless given. */
  readonly interaction?: number;
}

/**
 * RG× of Y. Pu et al. (arXiv:2506.09454): of each target ((1 − b)q + 2s)/(4D) + (a/2)o_c² − (½ + a)o_c, the softmax's
 * second-order expansion around 0 and a pull on the targets. The product of all pairs of outputs in that expansion is
 * taken for a share b of q, as the authors' published program does. Quadratic: nothing is normalised.
 */
export function rgxLoss(options: RgxLossOptions = {}): SphericalLoss {
  const { pull = 1, interaction = 0.01 } = options;
  checkPositive('rgx', 'pull', pull);
  if (!(interaction >= 0 && interaction < 1))
    throw new OptionError(`rgx: interaction must be from 0 to below 1, got ${interaction}`);
  return defineSphericalLoss({
    name: 'rgx',
    options: { pull, interaction },
    perTarget: (terms) => rankingExpansion(terms, pull, interaction),
  });
}

/** The weight of a target's square. */
export type Rg2LossOptions = Pick<RgxLossOptions, 'pull'>;

/**
 * RG² (Y. Pu et al., ICML 2024; arXiv:2506.09454): of each target (q + 2s)/(4D) + (a/2)o_c² − (½ + a)o_c. It is RG×
 * without b.
 */
export function rg2Loss(options: Rg2LossOptions = {}): SphericalLoss {
  const { pull = 1 } = options;
  checkPositive('rg2', 'pull', pull);
  return defineSphericalLoss({
    name: 'rg2',
    options: { pull },
    perTarget: (terms) => rankingExpansion(terms, pull, 0),
  });
}

function rankingExpansion({ q, s, output, classes }: TargetTerms, pull: number, interaction: number): Variable {
  const ofAll = add(scale(q, (1 - interaction) / (4 * classes)), scale(s, 1 / (2 * classes)));
  return add(ofAll, subtract(scale(square(output), pull / 2), scale(output, 0.5 + pull)));
}

/** The names under which tools and checkpoints know the built-in losses. */
export type BuiltInLossName =
  'z-loss' | 'spherical-softmax' | 'taylor-softmax' | 'squared-error' | 'implicit' | 'rg2' | 'rgx';

/** The names of the built-in losses. */
export const builtInLossNames: readonly BuiltInLossName[] = [
  'z-loss',
  'spherical-softmax',
  'taylor-softmax',
  'squared-error',
  'implicit',
  'rg2',
  'rgx',
];

/**
 * A built-in loss by name, for configuration files and checkpoints.
 * @throws OptionError for an unknown name or a bad option.
 */
export function createBuiltInLoss(name: string, options: Readonly<Record<string, number>> = {}): SphericalLoss {
  switch (name) {
    case 'z-loss':
      return zLoss(options);
    case 'spherical-softmax':
      return sphericalSoftmax(options);
    case 'taylor-softmax':
      return taylorSoftmax();
    case 'squared-error':
      return squaredError(options);
    case 'implicit':
      return implicitLoss(options);
    case 'rg2':
      return rg2Loss(options);
    case 'rgx':
      return rgxLoss(options);
    default:
      throw new OptionError(`no built-in loss is called '${name}'; there are ${builtInLossNames.join(', ')}`);
  }
}
