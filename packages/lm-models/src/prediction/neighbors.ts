/**
 * The words whose vectors point in the direction closest to a word's: cosine similarity, streamed by blocks. O(D·d),
 * and O(D·d²) for the factored layer's class vectors.
 */
import { createHostArray, read, readRows, type Backend, type FloatArray, type RowTable } from '@vastmax/linalg-core';
import { withFixedWeights, type OutputLayer } from '@vastmax/output-layer';
import type { Vocabulary } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';

/** `output`: the class vectors of the output layer; `input`: the embeddings. */
export type VectorKind = 'output' | 'input';

/** What of a network the neighbours are found with. */
export interface WordVectors {
  readonly backend: Backend;
  readonly output: Pick<OutputLayer, 'features' | 'classVectors' | 'withFixedWeights'>;
  readonly body: { readonly embeddings: { readonly table: RowTable } };
}

export interface NeighborOptions {
  /** How many for each word. */
  readonly k: number;
  /** `output` unless given. */
  readonly kind?: VectorKind;
}

export interface Neighbor {
  readonly word: string;
  readonly similarity: number;
}

const rowsPerBlock = 4096;

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
  const best = await withFixedWeights(network.output, 'neighbors', () =>
    nearestOf(network, kind, ids, vocabulary.size, k),
  );
  return best.map((list) => list.map(({ id, similarity }) => ({ word: vocabulary.tokenOf(id), similarity })));
}

/** The k nearest of each id, best first. */
async function nearestOf(
  network: WordVectors,
  kind: VectorKind,
  ids: readonly number[],
  words: number,
  k: number,
): Promise<{ readonly id: number; readonly similarity: number }[][]> {
  const probeVectors: Float64Array[] = [];
  for (const id of ids) {
    await forEachVector(network, kind, id, 1, (_id, block, offset, width) => {
      probeVectors.push(Float64Array.from(block.subarray(offset, offset + width)));
    });
  }
  const best: { id: number; similarity: number }[][] = ids.map(() => []);
  await forEachVector(network, kind, 0, words, (id, block, offset, width) => {
    for (const [place, probe] of probeVectors.entries()) {
      if (id === ids[place]) continue;
      const similarity = cosine(probe, block, offset, width);
      const list = best[place]!;
      if (list.length === k && !(similarity > list[k - 1]!.similarity)) continue;
      const position = list.findIndex((other) => other.similarity < similarity);
      list.splice(position < 0 ? list.length : position, 0, { id, similarity });
      if (list.length > k) list.pop();
    }
  });
  return best;
}

async function forEachVector(
  network: WordVectors,
  kind: VectorKind,
  firstId: number,
  count: number,
  visit: (id: number, block: FloatArray, offset: number, width: number) => void,
): Promise<void> {
  const { output, body, backend } = network;
  const width = kind === 'output' ? output.features : body.embeddings.table.columns;
  const host = createHostArray(backend, Math.min(count, rowsPerBlock) * width);
  using vectors = backend.createMatrix(Math.min(count, rowsPerBlock), width);
  for (let first = firstId; first < firstId + count; first += rowsPerBlock) {
    const rows = Math.min(rowsPerBlock, firstId + count - first);
    if (kind === 'output') {
      output.classVectors(first, vectors.resize(rows, width));
      await read(vectors, host);
    } else {
      await readRows(body.embeddings.table, first, rows, host);
    }
    for (let row = 0; row < rows; row++) visit(first + row, host, row * width, width);
  }
}

/** 0 when either vector is zero. */
function cosine(a: Float64Array, block: FloatArray, offset: number, width: number): number {
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < width; i++) {
    product += a[i]! * block[offset + i]!;
    squaresA += a[i]! ** 2;
    squaresB += block[offset + i]! ** 2;
  }
  return squaresA === 0 || squaresB === 0 ? 0 : product / Math.sqrt(squaresA * squaresB);
}
