/** What a trained model of words answers. */
import { computeNeighbors, drawNextWord, type WordVectors } from '@vastmax/lm-models';
import { RandomGenerator } from '@vastmax/sparse-data';
import type { FromWorker } from '../messages.ts';
import type { WordModel } from './job.ts';

const drawnFrom = 200;
const shownWords = 8;
const random = new RandomGenerator(Date.now() % 2 ** 31);

/** A prompt, continued word by word. */
export async function continueText(
  { model, reading }: WordModel,
  { prompt, temperature, words }: { readonly prompt: string; readonly temperature: number; readonly words: number },
): Promise<FromWorker> {
  const { endOfLine, unknown } = reading.settings;
  const text = [...reading.tokenize(prompt)];
  const drawn: string[] = [];
  let next: { word: string; share: number }[] = [];
  for (let place = 0; place < words; place++) {
    const [list = []] = await model.predictNextWords([[...text, ...drawn]], { k: drawnFrom, paddingWord: endOfLine });
    const known = list.filter(({ word }) => word !== unknown);
    if (place === 0) {
      const total = known.reduce((sum, { score }) => sum + Math.exp(score), 0);
      next = known.slice(0, shownWords).map(({ word, score }) => ({ word, share: Math.exp(score) / total }));
    }
    if (known.length === 0) break;
    const { word } = drawNextWord(known, random, { temperature });
    if (word === endOfLine) break;
    drawn.push(word);
  }
  return { type: 'continued', text: reading.join(drawn), next };
}

export async function nearestWords({ model, reading }: WordModel, text: string): Promise<FromWorker> {
  const [word = ''] = reading.tokenize(text);
  const vectors = model.network as unknown as WordVectors;
  const [words = []] = await computeNeighbors(vectors, model.vocabulary, [word], { k: 12 });
  return { type: 'neighbors', words };
}
