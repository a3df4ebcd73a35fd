/** Sentences of a grammar of a dozen words, where a word says much about the next one. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RandomGenerator } from '@vastmax/sparse-data';

const subjects = ['cat', 'dog', 'bird', 'horse'];
const adjectives: Readonly<Record<string, readonly string[]>> = {
  cat: ['lazy', 'black'],
  dog: ['loyal', 'brown'],
  bird: ['small', 'loud'],
  horse: ['fast', 'white'],
};
const verbs: Readonly<Record<string, readonly string[]>> = {
  cat: ['sleeps'],
  dog: ['barks', 'runs'],
  bird: ['sings', 'flies'],
  horse: ['gallops', 'runs'],
};

/** Lines like `the lazy cat sleeps and the horse gallops`. */
export function toySentences(lines: number, seed: number): string {
  const random = new RandomGenerator(seed);
  const pick = (words: readonly string[]): string => words[Math.floor(random.uniform() * words.length)] ?? '';
  const clause = (): string => {
    const subject = pick(subjects);
    return `the ${random.uniform() < 0.5 ? `${pick(adjectives[subject] ?? [])} ` : ''}${subject} ${pick(verbs[subject] ?? [])}`;
  };
  return Array.from({ length: lines }, () => `${clause()} and ${clause()}\n`).join('');
}

/** `train.txt` of 600 lines (about 5,700 words) and `valid.txt` of 60. */
export function writeToyTexts(folder: string): void {
  writeFileSync(join(folder, 'train.txt'), toySentences(600, 1));
  writeFileSync(join(folder, 'valid.txt'), toySentences(60, 2));
}

/** A model that trains on it in a moment. */
export const toyModel = '--output-layer factored --order 3 --embedding 8 --hidden 16 --batch 32';
