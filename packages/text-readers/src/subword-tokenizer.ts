// A Hugging Face tokenizer.json, read as the reference implementation reads it (the Rust package tokenizers), or
// refused when it is opened: a text that is tokenised in another way trains another model without a word. So each
// field of the file is known here, and a field that is not is an error. Files with tokens of the reference are in
// test/fixtures.

import type { NamedInput, Tokenize } from '@vastmax/sparse-data';
import { createSplitter, readAddedTokens } from './tokenizer/added-tokens.ts';
import { readDecoder } from './tokenizer/decoders.ts';
import { Fields } from './tokenizer/fields.ts';
import { readModel } from './tokenizer/models.ts';
import { readNormalizer, type Normalize } from './tokenizer/normalizers.ts';
import { readPreTokenizer } from './tokenizer/pre-tokenizers.ts';
import { readAroundText } from './tokenizer/special-tokens.ts';

export interface SubwordTokenizerOptions extends NamedInput {
  /** Whether the tokenizer adds its special tokens to each text, such as [CLS] and [SEP]; default false. */
  readonly addSpecialTokens?: boolean;
}

export interface SubwordTokenizer {
  /**
   * For countTokens and encodeTokens.
   * @throws SparseDataError `unknown-token` for a text that needs an unknown token which the tokenizer lacks
   */
  readonly tokenize: Tokenize;
  /** Number of tokens in its vocabulary. */
  readonly size: number;
  /** Tokens as text. Any words can be shown: those that are not of the vocabulary too. */
  detokenize(tokens: readonly string[]): string;
}

/**
 * A Hugging Face tokenizer (BPE, Unigram, WordPiece, WordLevel) from its parsed tokenizer.json; its tokens are those of
 * the reference implementation. The classes of a model are still those of a Vocabulary, counted from the tokens of a
 * text: in descending order of frequency, and only tokens that occur.
 * @throws SparseDataError `bad-tokenizer` with the name and the field, if the JSON is not a tokenizer, or has a part or a
 * field that is not known here
 */
export function createSubwordTokenizer(json: unknown, options: SubwordTokenizerOptions = {}): SubwordTokenizer {
  const { name = 'input', addSpecialTokens = false } = options;
  const fields = new Fields(json, `${name}:`);
  if (!fields.has('model')) throw fields.error('has no model; a tokenizer.json as Hugging Face writes it is needed');
  fields.get('version');
  for (const [part, effect] of [
    ['truncation', 'cuts off long texts'],
    ['padding', 'adds tokens to short texts'],
  ] as const) {
    if ((fields.get(part) ?? null) !== null) throw fields.error(`has ${part}, which ${effect}; set it to null`);
  }
  const normalize = fields.optional('normalizer', (part) => readNormalizer(fields.object(part))) ?? identity;
  const preTokenize =
    fields.optional('pre_tokenizer', (part) => readPreTokenizer(fields.object(part))) ?? ((pieces) => pieces);
  const around = fields.optional('post_processor', (part) => readAroundText(fields.object(part)));
  const decode = fields.optional('decoder', (part) => readDecoder(fields.object(part))) ?? withSpaces;
  const model = readModel(fields.object('model'));
  const added = readAddedTokens(fields, normalize);
  fields.end();
  const ids = new Map(model.ids);
  for (const { content, id } of added) ids.set(content, id);
  const split = createSplitter(added, normalize);
  const tokenize = (line: string): string[] =>
    split(line).flatMap((section) =>
      'content' in section ? [section.content] : preTokenize([section]).flatMap(({ text }) => model.tokenize(text)),
    );
  return {
    tokenize:
      addSpecialTokens && around !== undefined
        ? (line) => [...around.before, ...tokenize(line), ...around.after]
        : tokenize,
    size: ids.size,
    detokenize: (tokens) => decode(tokens).join(''),
  };
}

const identity: Normalize = (text) => text;
const withSpaces = (tokens: readonly string[]): readonly string[] => [tokens.join(' ')];
