/**
 * Vectors of a classifier of texts: of words, as fastText has them, the mean of the rows of a word and of its character
 * n-grams; and of labels, the rows of the output layer.
 */
import { sparseTimesTable, Tape } from '@vastmax/autodiff';
import { createHostArray, read } from '@vastmax/linalg-core';
import { tableTensor, type TensorSource } from '@vastmax/linalg-core/state';
import { withFixedWeights } from '@vastmax/output-layer';
import { SparseInputs } from '../bodies/sparse-inputs.ts';
import { classVectorTensor } from '../interchange/class-vectors.ts';
import { ModelError } from '../model-error.ts';
import type { BagNetwork } from '../network/network-options.ts';
import { nearestRows } from '../prediction/nearest-rows.ts';
import { readVectors, type Neighbor } from '../prediction/neighbors.ts';
import type { Classifier, ClassifierTexts, LabelNetwork } from './classifier.ts';

type TextClassifier = Pick<Classifier, 'network'> & { readonly texts: ClassifierTexts };

/**
 * The vector of each word of the vocabulary, in its order; computed block by block where words have character n-grams.
 * O(n-grams · width) a word.
 */
export function wordVectorTensor({ network, texts: { features } }: TextClassifier): TensorSource {
  const { vocabulary, ngrams } = features;
  const { table } = network.body.embeddings;
  const rows = vocabulary.size;
  const tensor = { ...tableTensor('word_vectors', table), rows };
  if (ngrams.maxChars === 0) return tensor;
  return {
    ...tensor,
    read: (first, count) =>
      vectorsOfWords(network, features.encodeWords(vocabulary.tokens.slice(first, first + count))),
  };
}

async function vectorsOfWords(
  { backend, body }: BagNetwork,
  words: Parameters<SparseInputs['entries']>[0],
): ReturnType<TensorSource['read']> {
  using inputs = new SparseInputs(backend);
  using tape = new Tape(backend);
  const vectors = sparseTimesTable(inputs.entries(words, { pooling: 'mean' }), body.embeddings.use(tape));
  return await read(vectors.value, createHostArray(backend, words.rows * vectors.value.columns));
}

/**
 * The words nearest to each word, itself left out. A word that the vocabulary lacks has the vector of its character
 * n-grams. O(words·width).
 * @throws ModelError `unknown-word` for one without any.
 */
export async function nearestWords(
  classifier: TextClassifier,
  words: readonly string[],
  k: number,
): Promise<Neighbor[][]> {
  const { vocabulary } = classifier.texts.features;
  const encoded = classifier.texts.features.encodeWords(words);
  words.forEach((word, row) => {
    if (encoded.offsets[row] !== encoded.offsets[row + 1]) return;
    throw new ModelError(
      'unknown-word',
      `the word '${word}' is not in the vocabulary, and has no n-grams of characters`,
    );
  });
  const vectors = wordVectorTensor(classifier);
  const { columns } = vectors;
  const values = await vectorsOfWords(classifier.network, encoded);
  const probes = words.map((word, row) => ({
    vector: Float64Array.from(values.subarray(row * columns, (row + 1) * columns)),
    own: vocabulary.has(word) ? vocabulary.idOf(word) : undefined,
  }));
  const best = await nearestRows(vectors, probes, k);
  return best.map((list) => list.map(({ row, similarity }) => ({ word: vocabulary.tokenOf(row), similarity })));
}

/**
 * The labels nearest to each label, itself left out. O(labels·width), O(labels·width²) for the factored layer.
 * @throws ModelError `unknown-word` for what is no label.
 */
export async function nearestLabels(
  { network, labels, classes }: Classifier<LabelNetwork>,
  names: readonly string[],
  k: number,
): Promise<Neighbor[][]> {
  const ids = names.map((name) => {
    const id = classes.get(name);
    if (id === undefined) throw new ModelError('unknown-word', `'${name}' is none of the ${labels.length} labels`);
    return id;
  });
  const best = await withFixedWeights(network.output, 'neighbors', async () => {
    const vectors = classVectorTensor('label_vectors', network.output);
    const own = await readVectors(vectors, ids);
    return nearestRows(
      vectors,
      own.map((vector, place) => ({ vector, own: ids[place] })),
      k,
    );
  });
  return best.map((list) => list.map(({ row, similarity }) => ({ word: String(labels[row]), similarity })));
}
