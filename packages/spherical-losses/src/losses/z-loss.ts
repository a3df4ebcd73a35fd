import { divide, negate, scale, shift, softplus, sqrt, subtract } from '@vastmax/autodiff';
import { checkPositive, defineSphericalLoss, type SphericalLoss } from '../loss.ts';

export interface ZLossOptions {
  /** Sharpness, 0.1 unless given; smaller weighs the ranks below the first less sharply (0.05 for top-1 and MRR). */
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
  if (!Number.isFinite(b)) throw new RangeError(`z-loss: b must be a finite number, got ${b}`);
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
