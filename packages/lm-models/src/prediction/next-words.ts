/** What a network over the words of a vocabulary expects after a prompt. */
import { topK } from '@vastmax/output-layer';
import type { Vocabulary } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import type { Network } from '../network/network.ts';

/** How many words, and how a short prompt is padded or a long one cut. */
export interface NextWordsOptions {
  /** How many words for each prompt, at most. */
  readonly k: number;
  /** The word that ends a line, which stands before the first of a text. */
  readonly paddingWord?: string;
  /** How many words of a prompt are read at most, the last ones; what the body reads unless given. */
  readonly maxWords?: number;
}

/** A word and its score, or its probability where the layer has them. */
export interface NextWord {
  readonly word: string;
  /** The output layer's score; comparable within one prompt only. */
  readonly score: number;
}

/** The number of a word, or of the word for unknown ones. @throws ModelError `unknown-word` where there is none. */
export function inputOf(vocabulary: Vocabulary, word: string): number {
  const id = vocabulary.idOf(word);
  if (id !== undefined) return id;
  throw new ModelError(
    'unknown-word',
    `the word '${word}' is not in the vocabulary, which has no word for unknown ones`,
  );
}

/**
 * The k most likely next words, best first, a list for each prompt. Words that the vocabulary lacks count as its
 * unknown word. O(prompts·D·d).
 * @param network whose inputs and classes are the words of `vocabulary`.
 * @throws ModelError `unknown-word` for such a word where the vocabulary has none for unknown ones; OutputLayerError
 * `busy` beside another call on the network.
 */
export async function predictNextWords(
  network: Pick<Network<never>, 'output' | 'computePromptHidden' | 'exclusively'>,
  vocabulary: Vocabulary,
  prompts: readonly (readonly string[])[],
  { k, paddingWord, maxWords }: NextWordsOptions,
): Promise<NextWord[][]> {
  const idOf = (word: string): number => inputOf(vocabulary, word);
  const ids = prompts.map((words) => words.map(idOf));
  const options = {
    ...(paddingWord === undefined ? {} : { paddingId: idOf(paddingWord) }),
    ...(maxWords === undefined ? {} : { maxWords }),
  };
  const best = await network.exclusively('predictNextWords', () =>
    topK(network.output, network.computePromptHidden(ids, options), Math.min(k, vocabulary.size)),
  );
  return prompts.map((_, row) =>
    Array.from(best.classes.subarray(row * best.k, (row + 1) * best.k), (id, place) => ({
      word: vocabulary.tokenOf(id),
      score: best.scores[row * best.k + place]!,
    })),
  );
}
