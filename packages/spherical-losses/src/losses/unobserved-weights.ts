/**
 * A weight π_c for each class on the unobserved part of a quadratic loss: Σ_k π_k o_k² in the place of q, as when
 * popular classes that were not chosen count as rejected (eALS: X. He et al., SIGIR 2016). The layer then trains
 * Ŵ = diag(√π)W, whose outputs are ô_c = √π_c o_c, so that q = ‖ô‖² is the weighted sum and o_c = ô_c/√π_c depends on a
 * constant of the class (mathematics.md §8).
 */
import { multiply, Tape, type Variable } from '@vastmax/autodiff';
import { createMatrixFrom, createPlainBackend, OptionError } from '@vastmax/linalg-core';
import {
  defineSphericalLoss,
  type ExampleTerms,
  type ScoreTerms,
  type SphericalLoss,
  type TargetTerms,
} from './loss.ts';

/**
 * The loss with Σ_k π_k o_k² for q. Its layer's rows, initial rows and class vectors are those of Ŵ; its scores are of
 * o_c = ô_c/√π_c. SGD on Ŵ is SGD on W at the rate η/π_c for each class.
 * @param weights π, one number above 0 for each class; a mean of 1 keeps the meaning of the loss's own weights.
 * @throws OptionError for a weight that is not above 0, a loss that uses s (it would become Σ√π_c o_c) or the squared
 * deviations, and one that has class constants already.
 */
export function withUnobservedWeights(loss: SphericalLoss, weights: ArrayLike<number>): SphericalLoss {
  if (loss.classConstants !== undefined)
    throw new OptionError(`withUnobservedWeights: the loss ${loss.name} has class constants of its own`);
  const constants = Float64Array.from(weights, (weight, index) => {
    if (weight > 0 && Number.isFinite(weight)) return 1 / Math.sqrt(weight);
    throw new OptionError(
      `withUnobservedWeights: the weight of class ${index} must be a finite number above 0, got ${weight}`,
    );
  });
  const { name, options, targetScale, perTarget, perExample, score } = loss;
  const scoreOf = ({ output, constant }: ScoreTerms): Variable => {
    const rescaled = multiply(output, requireConstant(constant));
    return score === undefined ? rescaled : score({ output: rescaled, constant: undefined });
  };
  const weighted = defineSphericalLoss({
    name: `weighted ${name}`,
    options,
    targetScale,
    perTarget: (terms) => perTarget(targetTerms(name, terms)),
    ...(perExample === undefined ? {} : { perExample: (terms) => perExample(exampleTerms(name, terms)) }),
    score: scoreOf,
    classConstants: constants,
  });
  tryOnce(weighted);
  return weighted;
}

function exampleTerms(name: string, { q, classes }: ExampleTerms): ExampleTerms {
  return {
    q,
    classes,
    get s(): Variable {
      throw usesSum(name, 's');
    },
    get squaredDeviations(): Variable {
      throw usesSum(name, 'squaredDeviations');
    },
  };
}

function targetTerms(name: string, terms: TargetTerms): TargetTerms {
  const { output, weight, classes } = terms;
  return {
    get q() {
      return terms.q;
    },
    get s(): Variable {
      throw usesSum(name, 's');
    },
    get squaredDeviations(): Variable {
      throw usesSum(name, 'squaredDeviations');
    },
    output: multiply(output, requireConstant(terms.constant)),
    weight,
    classes,
    constant: undefined,
    constantSum: 0,
  };
}

function usesSum(name: string, term: string): OptionError {
  return new OptionError(
    `withUnobservedWeights: the loss ${name} uses ${term}, which weights of classes would change; take implicit, squared-error or spherical-softmax`,
  );
}

function requireConstant(constant: Variable | undefined): Variable {
  if (constant !== undefined) return constant;
  throw new OptionError('withUnobservedWeights: the layer passed no constants for its classes');
}

/** So that a loss that cannot be weighted is refused when it is made. */
function tryOnce({ perTarget, perExample }: SphericalLoss): void {
  const backend = createPlainBackend({ precision: 'f64' });
  using tape = new Tape(backend);
  const number = (): Variable => tape.constant(createMatrixFrom(backend, 1, 1, [0.5]));
  const q = number();
  const terms = { q, s: number(), squaredDeviations: number(), classes: 2 };
  perTarget({ ...terms, output: number(), weight: number(), constant: number(), constantSum: 1 });
  perExample?.(terms);
}
