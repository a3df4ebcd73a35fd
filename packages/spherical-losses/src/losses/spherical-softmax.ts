import { add, log, shift, square, subtract, type Variable } from '@vastmax/autodiff';
import { checkPositive, defineSphericalLoss, type ScoreTerms, type SphericalLoss } from '../loss.ts';

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
        throw new RangeError('spherical-softmax: the layer passed no constants for its classes');
      return subtract(log(shift(q, constantSum)), log(add(square(output), constant)));
    },
    score: withConstant,
    unnormalizedProbability: withConstant,
  });
}

function withConstant({ output, constant }: ScoreTerms): Variable {
  return constant === undefined ? square(output) : add(square(output), constant);
}
