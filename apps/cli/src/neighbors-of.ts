import { computeNeighbors, type LanguageModel, type Neighbor, type VectorKind } from '@vastmax/lm-models';
import type { TextModel } from './text-model.ts';

/** computeNeighbors over a model of any kind: it looks at the vocabulary, the output layer and the embeddings, which all of them have. */
export function neighborsOf({ backend, vocabulary, output, embeddings }: TextModel, words: readonly string[], k: number, kind: VectorKind = 'output'): Promise<Neighbor[][]> {
  const searched = { backend, vocabulary, output, body: { embeddings } };
  return computeNeighbors(searched as unknown as LanguageModel, words, k, kind);
}
