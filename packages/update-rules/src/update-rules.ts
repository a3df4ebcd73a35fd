/**
 * Update rules: how a gradient changes one matrix of weights. The same rule is used for a whole parameter and for the
 * gathered rows of a table. In the second case the slots are the same rows of separate tables, and rows that a step
 * does not touch keep their moments unchanged ("lazy" momentum and Adam, as in other libraries for sparse gradients).
 */
import { affine, axpy, binary, OptionError, unary, type Matrix } from '@vastmax/linalg-core';

export interface UpdateRule {
  readonly name: string;
  readonly options: Readonly<Record<string, number>>;
  /**
   * Number of matrices of the weights' shape that the rule keeps: moments, sums of squares. A rule without slots must
   * be w ← w − ηg, because TableUpdater relies on it.
   */
  readonly slots: number;
  /**
   * Changes `value` in place.
   * @param gradient may be overwritten.
   * @param step from 1.
   * @param scratch a matrix of the weights' shape.
   */
  apply(
    value: Matrix,
    gradient: Matrix,
    slots: readonly Matrix[],
    scratch: Matrix,
    learningRate: number,
    step: number,
  ): void;
}

/** w ← w − ηg. */
export function sgdRule(): UpdateRule {
  return {
    name: 'sgd',
    options: {},
    slots: 0,
    apply: (value, gradient, _slots, _scratch, learningRate) => {
      axpy(-learningRate, gradient, value);
    },
  };
}

/** v ← μv + g, w ← w − ηv (B. Polyak 1964, in the form in which the velocity is multiplied by the learning rate). */
export function momentumRule({ momentum = 0.9 }: { readonly momentum?: number } = {}): UpdateRule {
  checkFraction('momentum', 'momentum', momentum);
  return {
    name: 'momentum',
    options: { momentum },
    slots: 1,
    apply: (value, gradient, [velocity], _scratch, learningRate) => {
      if (velocity === undefined) return;
      affine(velocity, momentum, 0, velocity);
      axpy(1, gradient, velocity);
      axpy(-learningRate, velocity, value);
    },
  };
}

/** G ← G + g², w ← w − ηg/(√G + ε) (J. Duchi et al., JMLR 2011). */
export function adagradRule({ epsilon = 1e-8 }: { readonly epsilon?: number } = {}): UpdateRule {
  checkNotNegative('adagrad', 'epsilon', epsilon);
  return {
    name: 'adagrad',
    options: { epsilon },
    slots: 1,
    apply: (value, gradient, [squares], scratch, learningRate) => {
      if (squares === undefined) return;
      unary('square', gradient, scratch);
      axpy(1, scratch, squares);
      unary('sqrt', squares, scratch);
      affine(scratch, 1, epsilon, scratch);
      binary('divide', gradient, scratch, gradient);
      axpy(-learningRate, gradient, value);
    },
  };
}

/** Adam (D. Kingma, J. Ba, arXiv:1412.6980, algorithm 1), with the bias corrections of the optimiser's step count. */
export function adamRule({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
}: { readonly beta1?: number; readonly beta2?: number; readonly epsilon?: number } = {}): UpdateRule {
  checkFraction('adam', 'beta1', beta1);
  checkFraction('adam', 'beta2', beta2);
  checkNotNegative('adam', 'epsilon', epsilon);
  return {
    name: 'adam',
    options: { beta1, beta2, epsilon },
    slots: 2,
    apply: (value, gradient, [mean, squares], scratch, learningRate, step) => {
      if (mean === undefined || squares === undefined) return;
      affine(mean, beta1, 0, mean);
      axpy(1 - beta1, gradient, mean);
      unary('square', gradient, gradient);
      affine(squares, beta2, 0, squares);
      axpy(1 - beta2, gradient, squares);
      affine(squares, 1 / (1 - beta2 ** step), 0, scratch);
      unary('sqrt', scratch, scratch);
      affine(scratch, 1, epsilon, scratch);
      binary('divide', mean, scratch, scratch);
      axpy(-learningRate / (1 - beta1 ** step), scratch, value);
    },
  };
}

export const updateRuleNames = ['sgd', 'momentum', 'adagrad', 'adam'] as const;
export type UpdateRuleName = (typeof updateRuleNames)[number];

/** A rule by name, for configuration files. @throws OptionError for an unknown name, an option that the rule lacks, or one out of range. */
export function createUpdateRule(name: string, options: Readonly<Record<string, number>> = {}): UpdateRule {
  switch (name) {
    case 'sgd':
      return sgdRule();
    case 'momentum':
      return momentumRule(options);
    case 'adagrad':
      return adagradRule(options);
    case 'adam':
      return adamRule(options);
    default:
      throw new OptionError(`no optimizer is called '${name}'; there are ${updateRuleNames.join(', ')}`);
  }
}

function checkNotNegative(rule: string, option: string, value: number): void {
  if (!(value >= 0) || !Number.isFinite(value))
    throw new OptionError(`${rule}: ${option} must be a finite number of at least 0, got ${String(value)}`);
}

/**
 * A layer's or an optimiser's option `rule`, which a plain JavaScript program may have left out or misspelt.
 * @throws OptionError unless it is a rule.
 */
export function checkRule(owner: string, rule: UpdateRule): void {
  const given: unknown = rule;
  if (typeof given === 'object' && given !== null && 'apply' in given && typeof given.apply === 'function') return;
  const hint =
    typeof given === 'string'
      ? `createUpdateRule('${given}') makes one`
      : 'sgdRule() or createUpdateRule(name) makes one';
  throw new OptionError(
    `${owner}: rule must be an update rule, got ${typeof given === 'function' ? `the function ${given.name}; call it` : (JSON.stringify(given) ?? 'none')}; ${hint}`,
  );
}

function checkFraction(rule: string, option: string, value: number): void {
  if (!(value >= 0 && value < 1))
    throw new OptionError(`${rule}: ${option} must be at least 0 and less than 1, got ${String(value)}`);
}
