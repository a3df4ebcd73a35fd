import type { RowTable } from '@vastmax/linalg-core';
import { loadInitialVectors } from '@vastmax/lm-models/node';
import type { Vocabulary } from '@vastmax/sparse-data';
import { count, warn } from '../terminal/terminal.ts';

/** A model over words, or a classifier of texts. */
interface WordModel {
  readonly vocabulary: Vocabulary;
  readonly network: {
    readonly body: {
      readonly embeddings: { readonly table: RowTable };
      readonly options: { readonly embeddingScale: number };
    };
  };
}

/** Initial embeddings from the vectors of a file, scaled like the random start, which words without a vector keep. */
export async function startFromVectors(
  { vocabulary, network }: WordModel,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const { found, read, notUtf8 } = await loadInitialVectors(file, vocabulary, network.body.embeddings.table, {
    standardDeviation: network.body.options.embeddingScale,
    signal,
  });
  process.stdout.write(`embeddings   ${count(found)} of ${count(vocabulary.size)} words start from ${file}\n`);
  if (notUtf8 > 0) warn(`${count(notUtf8)} of the ${count(read)} words of ${file} are not UTF-8; they are left out`);
  if (found === 0)
    warn(
      `none of the ${count(read)} words of ${file} is in the vocabulary; do the letter case and the tokenizer agree?`,
    );
}
