import { add, log, scale, shift, square, subtract } from '@vastmax/autodiff';
import { defineSphericalLoss, type SphericalLoss } from '../loss.ts';

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
