/**
 * A loss of the spherical family is one expression over q = ‖o‖², s = Σₖ oₖ and the outputs o_c at the target classes
 * (arXiv:1606.08061 §3): its gradient with respect to o is 2α o + β 1 + γ with α = ∂L/∂q, β = ∂L/∂s and γ_c = ∂L/∂o_c.
 * The tape computes the three, so a loss here is only its formula.
 */
import type { Variable } from '@vastmax/autodiff';
import { OptionError } from '@vastmax/linalg-core';

/** Inputs of a target's expression. The four variables are P×1: one row for each (example, target class) pair. */
export interface TargetTerms {
  /** ‖o‖² of the pair's example. */
  readonly q: Variable;
  /** Σₖ oₖ of the pair's example. */
  readonly s: Variable;
  /** Σₖ (oₖ − s/D)² = q − s²/D, tracked separately: use it for a variance, where the difference would cancel. */
  readonly squaredDeviations: Variable;
  /** o_c, the output at the pair's class. */
  readonly output: Variable;
  /** y_c, the pair's weight; a constant without gradient. */
  readonly weight: Variable;
  /** D. */
  readonly classes: number;
  /** The class's own constant, if the loss has constants; without gradient. */
  readonly constant: Variable | undefined;
  /** Σ of the constants over all classes, 0 if the loss has none. */
  readonly constantSum: number;
}

/** Inputs of the expression that does not depend on targets; the variables are m×1. */
export interface ExampleTerms {
  readonly q: Variable;
  readonly s: Variable;
  readonly squaredDeviations: Variable;
  readonly classes: number;
}

/**
 * Inputs of the score that orders the classes: m×count outputs, and the constants of their classes (1×count or m×1 to
 * match).
 */
export interface ScoreTerms {
  readonly output: Variable;
  readonly constant: Variable | undefined;
}

/** A loss that a factored layer trains exactly: it sees the scores only as q, s, o_c and D (arXiv:1412.7091). */
export interface SphericalLoss {
  readonly name: string;
  /** The numbers that define the loss, saved in checkpoints and compared on restore. */
  readonly options: Readonly<Record<string, number>>;
  /** True when the loss is −log p of a distribution over all classes. */
  readonly isNormalized: boolean;
  /** Factor of every target weight, applied first; 1 unless given. The squared error's target value. */
  readonly targetScale: number;
  /** The loss of one target for unit weight, P×1; the layer multiplies by y_c and sums over an example's targets. */
  perTarget(terms: TargetTerms): Variable;
  /** An additional part of each example's loss, m×1, counted once, independent of its targets. */
  readonly perExample: ((terms: ExampleTerms) => Variable) | undefined;
  /** The score that orders the classes, from the outputs; the output itself unless given. */
  readonly score: ((terms: ScoreTerms) => Variable) | undefined;
  /**
   * Of a normalised loss: what the probability of a class is proportional to, up to a factor that depends on the
   * example; p_c before the division.
   */
  readonly unnormalizedProbability: ((terms: ScoreTerms) => Variable) | undefined;
  /** One constant for each class (a prior, say), constant in training; D long, copied by the layer. */
  readonly classConstants: ArrayLike<number> | undefined;
}

/** What `defineSphericalLoss` makes a loss of; `perTarget` alone is required. */
export interface SphericalLossDefinition {
  readonly name: string;
  readonly options?: Readonly<Record<string, number>>;
  readonly isNormalized?: boolean;
  readonly targetScale?: number;
  readonly perTarget: (terms: TargetTerms) => Variable;
  readonly perExample?: (terms: ExampleTerms) => Variable;
  /**
   * Needed when a larger output does not always mean a better class: a spherical softmax is ordered by o² + ε, not by
   * o.
   */
  readonly score?: (terms: ScoreTerms) => Variable;
  /** For the log-probabilities of ranges of classes; the losses of targets need only perTarget. */
  readonly unnormalizedProbability?: (terms: ScoreTerms) => Variable;
  readonly classConstants?: ArrayLike<number>;
}

/**
 * A custom loss. It is in the spherical family because it uses nothing but (q, s, o_c):
 *
 *     // Bouchard's upper bound of the log-softmax loss (NIPS 2007 workshop), at its centre.
 *     const bouchard = defineSphericalLoss({
 *       name: 'bouchard',
 *       perTarget: ({ s, squaredDeviations, output, classes }) => {
 *         const mean = scale(s, 1 / classes);
 *         const deviation = sqrt(scale(squaredDeviations, 1 / classes));
 *         const bound = subtract(softplus(deviation), scale(deviation, 0.5));
 *         return subtract(add(mean, scale(bound, classes)), output);
 *       },
 *     });
 *
 * @throws OptionError when an option is not a finite number, or an expression is no function.
 */
export function defineSphericalLoss(definition: SphericalLossDefinition): SphericalLoss {
  const {
    name,
    options = {},
    isNormalized = false,
    targetScale = 1,
    perTarget,
    perExample,
    score,
    unnormalizedProbability,
    classConstants,
  } = definition;
  if (typeof name !== 'string' || name === '')
    throw new OptionError(`defineSphericalLoss: a loss needs a name, got ${JSON.stringify(name) ?? 'none'}`);
  for (const [part, expression] of Object.entries({ perTarget, perExample, score, unnormalizedProbability })) {
    if (typeof expression === 'function' || (expression === undefined && part !== 'perTarget')) continue;
    throw new OptionError(`${name}: ${part} must be a function of its terms, got ${String(expression)}`);
  }
  for (const [option, value] of Object.entries({ ...options, targetScale })) {
    if (!Number.isFinite(value)) throw new OptionError(`${name}: ${option} must be a finite number, got ${value}`);
  }
  return {
    name,
    options,
    isNormalized,
    targetScale,
    perTarget,
    perExample,
    score,
    unnormalizedProbability,
    classConstants,
  };
}

/** For the built-in losses: an option that must be above zero. */
export function checkPositive(loss: string, option: string, value: number): void {
  if (!(value > 0) || !Number.isFinite(value)) {
    throw new OptionError(`${loss}: ${option} must be a finite number above 0, got ${value}`);
  }
}
