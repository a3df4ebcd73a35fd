/**
 * The words whose vectors point in the direction closest to a word's: cosine similarity, streamed by blocks. O(D·d),
 * and O(D·d²) for the factored layer's class vectors.
 */
import type { Backend, RowTable } from '@vastmax/linalg-core';
import { tableTensor, type TensorSource } from '@vastmax/linalg-core/state';
import { withFixedWeights, type OutputLayer } from '@vastmax/output-layer';
import type { Vocabulary } from '@vastmax/sparse-data';
import { classVectorTensor, type ClassVectorSource } from '../interchange/class-vectors.ts';
import { ModelError } from '../model-error.ts';
import { nearestRows } from './nearest-rows.ts';

/** `output`: the class vectors of the output layer; `input`: the embeddings. */
export type VectorKind = 'output' | 'input';

/** What of a network the neighbours are found with. */
export interface WordVectors {
  readonly backend: Backend;
  readonly output: ClassVectorSource & Pick<OutputLayer, 'withFixedWeights'>;
  readonly body: { readonly embeddings: { readonly table: RowTable } };
}

/** How many neighbours, and by which vectors. */
export interface NeighborOptions {
  /** How many for each word. */
  readonly k: number;
  /** `output` unless given. */
  readonly kind?: VectorKind;
}

/** A near word, and the cosine of its vector with the one asked for. */
export interface Neighbor {
  readonly word: string;
  readonly similarity: number;
}

/**
 * The k nearest words of each word, itself left out. Until it is done, steps of the output layer are refused as `busy`,
 * so that all vectors are of one moment.
 * @param network whose inputs and classes are the words of `vocabulary`.
 * @throws ModelError `unknown-word` for a word that is not in the vocabulary, `bad-option` for a k below 1.
 */
export async function computeNeighbors(
  network: WordVectors,
  vocabulary: Vocabulary,
  words: readonly string[],
  { k, kind = 'output' }: NeighborOptions,
): Promise<Neighbor[][]> {
  if (!Number.isSafeInteger(k) || k < 1)
    throw new ModelError('bad-option', `neighbors: k must be a whole number of at least 1, got ${k}`);
  const ids = words.map((word) => {
    const id = vocabulary.idOf(word);
    if (id === undefined || !vocabulary.has(word))
      throw new ModelError('unknown-word', `the word '${word}' is not in the vocabulary`);
    return id;
  });
  const best = await withFixedWeights(network.output, 'neighbors', async () => {
    const vectors = vectorsOf(network, kind);
    const own = await readVectors(vectors, ids);
    const probes = own.map((vector, place) => ({ vector, own: ids[place] }));
    return nearestRows({ ...vectors, rows: vocabulary.size }, probes, k);
  });
  return best.map((list) => list.map(({ row, similarity }) => ({ word: vocabulary.tokenOf(row), similarity })));
}

/** The vectors of a kind. Reads of the output layer's are computed block by block. */
function vectorsOf({ output, body }: WordVectors, kind: VectorKind): TensorSource {
  return kind === 'output'
    ? classVectorTensor('output_vectors', output)
    : tableTensor('input_embeddings', body.embeddings.table);
}

/** The vectors of single rows, in new arrays. */
export async function readVectors(vectors: TensorSource, rows: readonly number[]): Promise<Float64Array[]> {
  const read: Float64Array[] = [];
  for (const row of rows) read.push(Float64Array.from((await vectors.read(row, 1)).subarray(0, vectors.columns)));
  return read;
}
