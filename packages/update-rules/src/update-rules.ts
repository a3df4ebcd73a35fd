/**
 * Update rules: how a gradient changes one matrix of weights. The same rule is used for a whole parameter and for the
 * gathered rows of a table. In the second case the slots are the same rows of separate tables, and rows that a step
 * does not touch keep their moments unchanged ("lazy" momentum and Adam, as in other libraries for sparse gradients).
 */
import { axpy, OptionError, type Matrix, updateMatrix, type MomentUpdate } from '@vastmax/linalg-core';

/** How a gradient changes weights: a name, options, the moments it keeps, and the change itself. */
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
  /**
   * The same step as settings of linalg-core's `updateRows`, which changes the rows of a table in place. Left out: the
   * rows are gathered, changed by `apply` and scattered.
   * @param step from 1.
   */
  updateAt?(learningRate: number, step: number): MomentUpdate;
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
  return ruleWithMoments('momentum', { momentum }, 1, (learningRate) => ({ rule: 'momentum', learningRate, momentum }));
}

/** G ← G + g², w ← w − ηg/(√G + ε) (J. Duchi et al., JMLR 2011). */
export function adagradRule({ epsilon = 1e-8 }: { readonly epsilon?: number } = {}): UpdateRule {
  checkNotNegative('adagrad', 'epsilon', epsilon);
  return ruleWithMoments('adagrad', { epsilon }, 1, (learningRate) => ({ rule: 'adagrad', learningRate, epsilon }));
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
  return ruleWithMoments('adam', { beta1, beta2, epsilon }, 2, (learningRate, step) => ({
    rule: 'adam',
    learningRate,
    beta1,
    beta2,
    epsilon,
    step,
  }));
}

function ruleWithMoments(
  name: string,
  options: Readonly<Record<string, number>>,
  slots: number,
  updateAt: (learningRate: number, step: number) => MomentUpdate,
): UpdateRule {
  return {
    name,
    options,
    slots,
    updateAt,
    apply: (value, gradient, moments, scratch, learningRate, step) => {
      updateMatrix(value, gradient, moments, updateAt(learningRate, step), scratch);
    },
  };
}

/** The names of the built-in rules. */
export const updateRuleNames = ['sgd', 'momentum', 'adagrad', 'adam'] as const;
/** The built-in rules. */
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
