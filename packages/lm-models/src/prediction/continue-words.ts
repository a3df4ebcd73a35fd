/** A text that goes on word by word. */
import { topK } from '@vastmax/output-layer';
import type { Vocabulary } from '@vastmax/sparse-data';
import type { Body, BodyReader, Network } from '../network/network.ts';
import { inputOf, predictNextWords, type NextWord, type NextWordsOptions } from './next-words.ts';

/** What each word is chosen of, and when the text ends. */
export interface ContinueOptions extends NextWordsOptions {
  /**
   * The next word, of the k most likely ones, best first; undefined ends the text. Such as drawNextWord.
   */
  readonly choose: (words: readonly NextWord[]) => string | undefined;
  /** The word that ends a text, which is not given; a text without one goes on until the caller stops. */
  readonly endWord?: string;
}

/** What of a network continues a text. */
type ContinuedNetwork = Pick<Network<never>, 'output' | 'computePromptHidden' | 'computeNextHidden' | 'exclusively'> & {
  readonly body: Pick<Body<never>, 'createReader' | 'features'>;
};

/**
 * The words that follow a prompt, one after the other, each chosen of the most likely ones after all before it. A body
 * with a reader (transformer) reads each word once: O(D·d) a word, and attention to the words before it. When its context
 * is full, it reads the last half of it again and goes on from there, so that each word is predicted from half a context
 * at least. Other bodies read their prompt again for each word.
 * @param network whose inputs and classes are the words of `vocabulary`; its weights must not change meanwhile.
 * @throws as predictNextWords.
 */
export async function* continueWords(
  network: ContinuedNetwork,
  vocabulary: Vocabulary,
  prompt: readonly string[],
  { choose, endWord, ...options }: ContinueOptions,
): AsyncGenerator<string, void, undefined> {
  const words = [...prompt];
  using reader = network.body.createReader?.();
  const text = reader === undefined ? undefined : new ReadText(network, vocabulary, reader, options);
  for (;;) {
    const [best = []] =
      text === undefined
        ? await predictNextWords(network, vocabulary, [words], options)
        : [await text.nextWords(words)];
    const word = choose(best);
    if (word === undefined || word === endWord) return;
    words.push(word);
    yield word;
  }
}

class ReadText {
  readonly #network: ContinuedNetwork;
  readonly #vocabulary: Vocabulary;
  readonly #reader: BodyReader;
  readonly #options: NextWordsOptions;
  /** Words of the text that the reader has read. */
  #done = 0;

  constructor(network: ContinuedNetwork, vocabulary: Vocabulary, reader: BodyReader, options: NextWordsOptions) {
    this.#network = network;
    this.#vocabulary = vocabulary;
    this.#reader = reader;
    this.#options = options;
  }

  /** @param words all of the text, of which those after the last call are read. */
  async nextWords(words: readonly string[]): Promise<NextWord[]> {
    const { k, paddingWord, maxWords = Infinity } = this.#options;
    const reader = this.#reader;
    const padding = paddingWord === undefined ? [] : [paddingWord];
    const most = Math.min(maxWords, reader.capacity - padding.length);
    const isFirst = reader.length === 0;
    const isFull = reader.length + words.length - this.#done > most + padding.length;
    const last = isFirst ? most : Math.ceil(most / 2);
    const added =
      isFirst || isFull ? [...padding, ...words.slice(Math.max(0, words.length - last))] : words.slice(this.#done);
    const ids = added.map((word) => inputOf(this.#vocabulary, word));
    const best = await this.#network.exclusively('continueWords', () => {
      if (isFull) reader.clear();
      this.#done = words.length;
      return topK(
        this.#network.output,
        this.#network.computeNextHidden(reader, ids),
        Math.min(k, this.#vocabulary.size),
      );
    });
    return Array.from(best.classes, (id, place) => ({
      word: this.#vocabulary.tokenOf(id),
      score: best.scores[place]!,
    }));
  }
}
