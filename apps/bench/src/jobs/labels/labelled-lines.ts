/**
 * Lines of a label and words as fastText reads them, `__label__L12 w4 w17 …`, made from a seed. Labels and words are
 * Zipf-distributed; each label has a few words of its own, from which some of a line's words are drawn and the others
 * from all words. Every label has at least one training line, so that each program that reads them has all of them; the
 * other training lines and all test lines draw their labels.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { RandomGenerator } from '@vastmax/sparse-data';

export interface LabelledLinesOptions {
  readonly labels: number;
  /** Training lines; at least as many as labels. */
  readonly lines: number;
  readonly testLines: number;
  /** Different words. */
  readonly words: number;
  readonly wordsPerLine: number;
  /** Words that a label has of its own; several labels may share one. */
  readonly ownWords: number;
  /** Probability that a word of a line is one of the label's own. */
  readonly ownShare: number;
  /** s of P(label k) ∝ (k + 1)^−s, above 1. */
  readonly labelExponent: number;
}

const wordExponent = 1.01;

/** With which fastText's hierarchical softmax has a P@1 of about 42 % after one epoch of width 128. */
export const labelledLinesDefaults: LabelledLinesOptions = {
  labels: 200_000,
  lines: 260_000,
  testLines: 5000,
  words: 50_000,
  wordsPerLine: 20,
  ownWords: 10,
  ownShare: 0.5,
  labelExponent: 1.14,
};

/** Writes both files. Equal options and seeds give equal files. O(words of all lines). */
export function writeLabelledLines(
  trainFile: string,
  testFile: string,
  options: LabelledLinesOptions,
  seed: number,
): void {
  const { labels, lines, testLines, labelExponent } = options;
  const random = new RandomGenerator(seed);
  const target = Int32Array.from({ length: lines }, (_, line) =>
    line < labels ? line : drawRank(labels, labelExponent, random),
  );
  shuffle(target, random);
  writeLines(trainFile, target, options, random, seed);
  const held = Int32Array.from({ length: testLines }, () => drawRank(labels, labelExponent, random));
  writeLines(testFile, held, options, random, seed);
}

function writeLines(
  file: string,
  target: Int32Array,
  { words, wordsPerLine, ownWords, ownShare }: LabelledLinesOptions,
  random: RandomGenerator,
  seed: number,
): void {
  const descriptor = openSync(file, 'w');
  try {
    let text = '';
    for (const label of target) {
      text += `__label__L${label}`;
      for (let place = 0; place < wordsPerLine; place++) {
        const word =
          random.uniform() < ownShare
            ? ownWord(label, random.integer(ownWords), words, seed)
            : drawRank(words, wordExponent, random);
        text += ` w${word}`;
      }
      text += '\n';
      if (text.length > 1 << 20) {
        writeSync(descriptor, text);
        text = '';
      }
    }
    writeSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

/** P(k) ∝ (k + 1)^−s but for rounding: by the inverse of the distribution function of the density x^−s on [1, n + 1). */
function drawRank(n: number, s: number, random: RandomGenerator): number {
  const power = 1 - s;
  const x = (1 + random.uniform() * ((n + 1) ** power - 1)) ** (1 / power);
  return Math.min(n - 1, Math.floor(x) - 1);
}

/** The same word for a label's place each time: a hash, so that no list is kept. */
function ownWord(label: number, place: number, words: number, seed: number): number {
  let hash = Math.imul(label + 1, 0x9e37_79b1) ^ Math.imul(place + 1, 0x85eb_ca6b) ^ Math.imul(seed + 1, 0xc2b2_ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0_aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a_2d97);
  return ((hash ^ (hash >>> 15)) >>> 0) % words;
}

function shuffle(values: Int32Array, random: RandomGenerator): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    const value = values[last]!;
    values[last] = values[other]!;
    values[other] = value;
  }
}
