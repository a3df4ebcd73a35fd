import { computeNeighbors, type Neighbor, type VectorKind } from '@vastmax/lm-models';
import type { TextModel } from './text/text-model.ts';

/** computeNeighbors over a model of any kind. */
export function neighborsOf(
  { backend, vocabulary, output, embeddings }: TextModel,
  words: readonly string[],
  k: number,
  kind: VectorKind = 'output',
): Promise<Neighbor[][]> {
  return computeNeighbors({ backend, output, body: { embeddings } }, vocabulary, words, { k, kind });
}
