import { drawNextWord } from '@vastmax/lm-models';
import { RandomGenerator } from '@vastmax/sparse-data';
import { expect, it } from 'vitest';

const words = [
  { word: 'a', score: Math.log(0.5) + 3 },
  { word: 'b', score: Math.log(0.3) + 3 },
  { word: 'c', score: Math.log(0.2) + 3 },
];

function sharesOf(options: { temperature?: number; topP?: number }): number[] {
  const random = new RandomGenerator(7);
  const counts = new Map<string, number>();
  const draws = 20_000;
  for (let i = 0; i < draws; i++) {
    const { word } = drawNextWord(words, random, options);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return words.map(({ word }) => (counts.get(word) ?? 0) / draws);
}

it('draws words by their probabilities, the same ones for a seed', () => {
  for (const [i, share] of sharesOf({}).entries()) expect(share).toBeCloseTo([0.5, 0.3, 0.2][i]!, 1);
  const [first, second] = [new RandomGenerator(3), new RandomGenerator(3)];
  for (let i = 0; i < 20; i++) expect(drawNextWord(words, first)).toBe(drawNextWord(words, second));
});

it('favours likely words the more the colder it is', () => {
  const squares = [0.25, 0.09, 0.04].map((share) => share / 0.38);
  for (const [i, share] of sharesOf({ temperature: 0.5 }).entries()) expect(share).toBeCloseTo(squares[i]!, 1);
  expect(sharesOf({ temperature: 0.01 })).toEqual([1, 0, 0]);
});

it('draws from the fewest words that have the share asked for', () => {
  expect(sharesOf({ topP: 0.5 })).toEqual([1, 0, 0]);
  const [a, b, c] = sharesOf({ topP: 0.6 });
  expect([a, b]).toEqual([expect.closeTo(0.625, 1), expect.closeTo(0.375, 1)]);
  expect(c).toBe(0);
});

it('refuses options that cannot be', () => {
  const random = new RandomGenerator(1);
  expect(() => drawNextWord(words, random, { temperature: 0 })).toThrow('temperature must be a finite number above 0');
  expect(() => drawNextWord(words, random, { topP: 1.5 })).toThrow('topP must be above 0 and at most 1, got 1.5');
  expect(() => drawNextWord([], random)).toThrow('the list is empty');
});
