/**
 * Factors of the losses of classes, so that rare labels count as much as frequent ones. They become weights of targets,
 * in whose sum a loss is linear, but for those that take a target's weight as given (abilities of the registry): the
 * squared error, for instance, takes it for the value of the target.
 */
import { ModelError } from '../model-error.ts';
import type { OutputLayerChoice } from '../output-layers/output-layer-choice.ts';
import { outputLayerOf } from '../output-layers/registry.ts';

/** The names of the rules that weight classes by how often they occur. */
export const classWeightingNames = ['balanced', 'sqrt'] as const;
/** `balanced`: a weight in proportion to 1/n_c for n_c occurrences; `sqrt`: to 1/√n_c. */
export type ClassWeighting = (typeof classWeightingNames)[number];

/**
 * The weights of all classes, scaled so that the mean over all occurrences of labels is 1: rates keep their meaning. A
 * class that never occurs has weight 1. O(D).
 * @param frequencies how often each class occurs.
 */
export function balancedClassWeights(weighting: ClassWeighting, frequencies: ArrayLike<number>): Float64Array {
  const weights = Float64Array.from(frequencies, (count) =>
    count > 0 ? (weighting === 'sqrt' ? 1 / Math.sqrt(count) : 1 / count) : Number.NaN,
  );
  let occurrences = 0;
  let sum = 0;
  for (let index = 0; index < weights.length; index++) {
    const count = frequencies[index]!;
    if (!(count > 0)) continue;
    occurrences += count;
    sum += count * weights[index]!;
  }
  return weights.map((weight) => (weight > 0 ? (weight * occurrences) / sum : 1));
}

/**
 * @throws ModelError `unsupported` for an output layer whose loss cannot be multiplied by weights of classes.
 */
export function checkClassWeights(choice: OutputLayerChoice): void {
  if (outputLayerOf(choice.kind).abilities.targetWeights(choice) !== 'given') return;
  const name = choice.kind === 'factored' ? choice.loss.name : choice.kind;
  const words: Readonly<Record<string, string>> = {
    'squared-error': 'the squared error',
    implicit: 'the implicit loss',
  };
  throw new ModelError(
    'unsupported',
    `class weights: ${words[name] ?? name} takes the weight of a target for what the target's output should be, or how much that counts, so it cannot weight a class; take another loss or layer`,
  );
}
