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
import { addedCharacters, callWithin, costOf } from './tokenizer-limits.ts';

/** Whether tokens like `[CLS]` are added; not unless given. */
export interface SubwordTokenizerOptions extends NamedInput {
  /** Whether the tokenizer adds its special tokens to each text, such as [CLS] and [SEP]; default false. */
  readonly addSpecialTokens?: boolean;
}

/** A tokenizer.json as functions: text to tokens, and back. */
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
 * @throws SparseDataError `bad-tokenizer` with the name and the field, if the JSON is not a tokenizer, has a part or a
 * field that is not known here, or one beyond its limit. Its calls throw `record-too-long` for a line that takes longer
 * than 2 s and 0.05 ms a character, or grows by more than 64 times its length and 65,536 characters; the limit of time
 * holds in Node.
 */
export function createSubwordTokenizer(json: unknown, options: SubwordTokenizerOptions = {}): SubwordTokenizer {
  const { name = 'input', addSpecialTokens = false } = options;
  const fields = new Fields(json, `${name}:`);
  if (!fields.has('model')) throw fields.error('has no model; a tokenizer.json as Hugging Face writes it is needed');
  const definition = json as Readonly<Record<string, unknown>>;
  const cost = costOf(definition, name);
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
  // They are normalised, and looked for by a pattern made of them.
  const [added, split] = callWithin(`createSubwordTokenizer: ${name}`, addedCharacters(definition), cost, () => {
    const tokens = readAddedTokens(fields, normalize);
    return [tokens, createSplitter(tokens, normalize)] as const;
  });
  fields.end();
  const ids = new Map(model.ids);
  for (const { content, id } of added) ids.set(content, id);
  const tokenize = (line: string): string[] =>
    split(line).flatMap((section) =>
      'content' in section ? [section.content] : preTokenize([section]).flatMap(({ text }) => model.tokenize(text)),
    );
  const tokenizeLine =
    addSpecialTokens && around !== undefined
      ? (line: string): string[] => [...around.before, ...tokenize(line), ...around.after]
      : tokenize;
  return {
    tokenize: (line) => callWithin(`tokenize: ${name}`, line.length, cost, () => tokenizeLine(line)),
    size: ids.size,
    detokenize: (tokens) =>
      callWithin(`detokenize: ${name}`, charactersOf(tokens), cost, () => decode(tokens).join('')),
  };
}

const identity: Normalize = (text) => text;
const charactersOf = (tokens: readonly string[]): number => tokens.reduce((sum, { length }) => sum + length, 0);
const withSpaces = (tokens: readonly string[]): readonly string[] => [tokens.join(' ')];
