/**
 * The text of the word vectors: the State of the Union addresses and, where the folder has it, the training text of
 * WikiText-2, in lower case.
 */
import { countTokens, encodeTokens, whitespaceTokens, wordTokens, type Vocabulary } from '@vastmax/sparse-data';
import { readLines } from '@vastmax/sparse-data/node';
import { speechTexts } from '../workload/training-corpus.ts';
import { jobFile } from './job-files.ts';

export interface WordsCorpus {
  readonly name: string;
  readonly vocabulary: Vocabulary;
  readonly tokens: Int32Array;
}

export async function readWordsCorpus(data: string): Promise<WordsCorpus> {
  const path = jobFile(data, 'wikitext-2', 'wiki.train.tokens');
  // Words and marks of the speeches are taken apart and joined by spaces, as those of WikiText-2 are.
  async function* lines(): AsyncGenerator<string, void, undefined> {
    for (const text of speechTexts()) yield [...wordTokens(text, { lowerCase: true })].join(' ');
    for await (const line of readLines(path)) yield line.toLowerCase();
  }
  const options = { tokenize: whitespaceTokens };
  const counter = await countTokens(lines(), options);
  const vocabulary = counter.build({ minimumCount: 2, specialTokens: ['<unk>'], unknownToken: '<unk>' });
  return {
    name: `State of the Union and ${path}`,
    vocabulary,
    tokens: await encodeTokens(lines(), vocabulary, options),
  };
}
