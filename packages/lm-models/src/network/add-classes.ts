/** Classes that come up when a network has been trained: they are added at the end, and training goes on with them. */
import { ModelError } from '../model-error.ts';
import type { AddedClasses, OutputLayerEntry } from '../output-layers/output-layer-entry.ts';
import type { OutputLayerChoice } from '../output-layers/output-layer-choice.ts';
import { outputLayerOf } from '../output-layers/registry.ts';
import { logUnigram } from '../output-layers/softmax-layers.ts';
import type { Network } from './network.ts';

/** What new classes of a network begin with. */
export interface AddClassesOptions {
  /**
   * n×(features + 1) weights of the new classes, row by row, the bias last. Unless given all are 0 but for the biases
   * of layers whose scores are logs of probabilities, which are those of a class that has not been seen.
   */
  readonly values?: ArrayLike<number>;
}

/**
 * Adds classes that have not occurred, numbered from the number that there were. O(n·d), O(n·d²) for the factored layer.
 * The other classes keep their weights; in a layer that normalises, new ones take a little of their probability.
 * @throws ModelError `unsupported` for a layer that cannot grow; OutputLayerError for values that do not fit. Nothing
 * has changed then.
 */
export async function addClasses(
  network: Network<never>,
  count: number,
  { values }: AddClassesOptions = {},
): Promise<void> {
  const choice: OutputLayerChoice = network.options.output;
  const entry = outputLayerOf(choice.kind);
  if (entry.addClasses === undefined)
    throw new ModelError('unsupported', `${entry.name}: the layer cannot have classes added`);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new ModelError('bad-option', `addClasses: count is ${count}; a whole number of at least 1 is needed`);
  await network.addClasses(count, (output, { frequencies }) => {
    const rows = values ?? defaultRows(entry, output.features + 1, { count, frequencies });
    entry.addClasses?.(output, { values: rows, frequencies }, choice);
  });
}

/** Whose biases are logs of unigram probabilities at the start. */
const logLayers: readonly string[] = ['full', 'sampled', 'nce'];

function defaultRows(
  { name }: Pick<OutputLayerEntry, 'name'>,
  width: number,
  { count, frequencies }: Pick<AddedClasses, 'frequencies'> & { readonly count: number },
): Float64Array {
  const rows = new Float64Array(count * width);
  if (!logLayers.includes(name)) return rows;
  const bias = logUnigram(frequencies)[frequencies.length - 1]!;
  for (let row = 0; row < count; row++) rows[(row + 1) * width - 1] = bias;
  return rows;
}
