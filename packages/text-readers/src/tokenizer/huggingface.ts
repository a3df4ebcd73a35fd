// What is used of @huggingface/tokenizers, with its types: its own declarations import files without extensions, which
// Node's module resolution does not find.

import * as library from '@huggingface/tokenizers';

/** Merges the characters of a word in the order of the merges. */
interface BytePairMerger {
  bpe(word: string): readonly string[];
}

interface Library {
  readonly BPE: new (model: {
    readonly type: 'BPE';
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (readonly [string, string])[];
    /** Added to the last character of a word. */
    readonly end_of_word_suffix: string;
  }) => BytePairMerger;
  readonly ReplaceNormalizer: new (normalizer: {
    readonly type: 'Replace';
    readonly pattern: { readonly Regex: string };
    readonly content: string;
  }) => { readonly pattern: RegExp | null };
}

const { BPE, ReplaceNormalizer } = library as unknown as Library;

export function createMerger(
  vocabulary: ReadonlyMap<string, number>,
  merges: readonly (readonly [string, string])[],
  suffix: string,
): BytePairMerger {
  // The library makes an array as long as the largest id; here its ids have no use.
  const ids = Object.fromEntries([...vocabulary.keys()].map((token, id) => [token, id]));
  return new BPE({ type: 'BPE', vocab: ids, merges, end_of_word_suffix: suffix });
}

/** An expression of Oniguruma as one of JavaScript. @throws SyntaxError for one that cannot be translated. */
export function translateExpression(source: string): RegExp | null {
  return new ReplaceNormalizer({ type: 'Replace', pattern: { Regex: source }, content: '' }).pattern;
}
