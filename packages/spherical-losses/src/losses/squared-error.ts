import { scale, subtract } from '@vastmax/autodiff';
import { checkPositive, defineSphericalLoss, type SphericalLoss } from '../loss.ts';

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
