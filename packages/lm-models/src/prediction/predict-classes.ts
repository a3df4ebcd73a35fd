/** The best classes of each example with their probabilities, where the output layer has them. */
import { read, type Matrix } from '@vastmax/linalg-core';
import type { OutputLayer, TopK } from '@vastmax/output-layer';
import { singleTargets } from '@vastmax/sparse-data';
import { topClasses, type TopClassesOptions } from './top-classes.ts';

/** The best classes of each example, with probabilities where the layer has them. */
export interface PredictedClasses extends TopK {
  /** p of each class in `classes`, 0 for class −1; undefined for a layer whose loss is no −log p. */
  readonly probabilities: Float64Array | undefined;
}

/**
 * As topClasses, with probabilities. Scores of most layers are log p but for a number that is the same for all classes
 * of an example, so that the loss of the best class gives the probabilities of all. Those of the factored layer are no
 * logarithms: there the loss of each place is computed, in O(d²).
 * @param hidden m×d.
 * @throws as topClasses.
 */
export async function predictClasses(
  layer: OutputLayer,
  hidden: Matrix,
  k: number,
  options: TopClassesOptions = {},
): Promise<PredictedClasses> {
  const best = await topClasses(layer, hidden, k, options);
  if (!layer.isNormalized) return { ...best, probabilities: undefined };
  const { classes, scores } = best;
  const examples = hidden.rows;
  const probabilities = new Float64Array(examples * k);
  const hasLogarithms = layer.kind !== 'factored';
  for (let place = 0; place < (hasLogarithms ? 1 : k); place++) {
    const targets = Int32Array.from({ length: examples }, (_, example) => Math.max(0, classes[example * k + place]!));
    const losses = await read(await layer.evaluate(hidden, singleTargets(targets, layer.classes)));
    for (let example = 0; example < examples; example++)
      probabilities[example * k + place] = Math.exp(-losses[example]!);
  }
  for (let entry = 0; entry < probabilities.length; entry++) {
    const first = entry - (entry % k);
    if (hasLogarithms && entry !== first)
      probabilities[entry] = probabilities[first]! * Math.exp(scores[entry]! - scores[first]!);
    if (classes[entry] === -1) probabilities[entry] = 0;
  }
  return { ...best, probabilities };
}
