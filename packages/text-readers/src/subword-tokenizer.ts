import { Tokenizer } from '@huggingface/tokenizers';
import { isSparseDataError, SparseDataError, type NamedInput, type Tokenize } from '@vastmax/sparse-data';
import {
  callWithin,
  checkTokenizer,
  limitGrowth,
  type TokenizerCost,
  type TokenizerFailure,
} from './tokenizer-limits.ts';

export interface SubwordTokenizerOptions extends NamedInput {
  /** The parsed tokenizer_config.json of the tokenizer; most tokenizers do not need it. */
  readonly config?: object;
  /** Whether the tokenizer adds its special tokens to each text, such as [CLS] and [SEP]; default false. */
  readonly addSpecialTokens?: boolean;
}

export interface SubwordTokenizer {
  /** For countTokens and encodeTokens. */
  readonly tokenize: Tokenize;
  /** Number of tokens in its vocabulary. */
  readonly size: number;
  /**
   * Converts tokens from `tokenize` back to text.
   * @throws SparseDataError `unknown-token` for a token that is not in its vocabulary
   */
  detokenize(tokens: readonly string[]): string;
}

/**
 * A Hugging Face tokenizer (BPE, WordPiece, Unigram) from its parsed tokenizer.json. The classes of a model are still
 * those of a Vocabulary, counted from the tokens of a text: in descending order of frequency, and only tokens that
 * occur.
 * @throws SparseDataError `bad-tokenizer` with the name, if the JSON is not a tokenizer, is of an unknown kind, or asks for
 * what its size does not bear out. Its calls throw `record-too-long` for a line that takes longer than 2 s and 0.05 ms a
 * character, or grows by more than 64 times its length and 65,536 characters; the limit of time holds in Node.
 */
export function createSubwordTokenizer(json: unknown, options: SubwordTokenizerOptions = {}): SubwordTokenizer {
  const { name = 'input', config = {}, addSpecialTokens = false } = options;
  const { tokenizer, cost } = open(json, config, name);
  const detokenize = (tokens: readonly string[]): string => {
    const ids = tokens.map((token) => {
      const id = tokenizer.token_to_id(token);
      if (id === undefined)
        throw new SparseDataError(
          'unknown-token',
          `detokenize: ${name} has no token ${JSON.stringify(token)}; tokens of its own tokenize are needed`,
        );
      return id;
    });
    return tokenizer.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  };
  return {
    tokenize: (line) =>
      callWithin(`tokenize: ${name}`, line.length, cost, () =>
        checkTokens(tokenizer.tokenize(line, { add_special_tokens: addSpecialTokens })),
      ),
    size: tokenizer.get_vocab(true).size,
    detokenize: (tokens) =>
      callWithin(
        `detokenize: ${name}`,
        tokens.reduce((sum, { length }) => sum + length, 0),
        cost,
        () => detokenize(tokens),
      ),
  };
}

/** @throws Error for a token that is none: the library takes an unknown token as its file has it. */
function checkTokens(tokens: string[]): string[] {
  const found: readonly unknown[] = tokens;
  const wrong = found.findIndex((token) => typeof token !== 'string');
  if (wrong === -1) return tokens;
  throw new TypeError(`token ${wrong} is ${String(found[wrong])} and no string; its unknown token may be missing`);
}

function open(
  json: unknown,
  config: object,
  name: string,
): { readonly tokenizer: Tokenizer; readonly cost: TokenizerCost } {
  const fail: TokenizerFailure = (problem, cause) => {
    throw new SparseDataError(
      'bad-tokenizer',
      `createSubwordTokenizer: ${name} ${problem}; a tokenizer.json as Hugging Face writes it is needed`,
      { cause },
    );
  };
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return fail('has no model');
  const cost = checkTokenizer(json as Readonly<Record<string, unknown>>, fail);
  // It tokenizes its added tokens at once.
  const characters = JSON.stringify('added_tokens' in json ? json.added_tokens : null)?.length ?? 0;
  try {
    const tokenizer = callWithin(
      `createSubwordTokenizer: ${name}`,
      characters,
      cost,
      () => new Tokenizer(json, config),
    );
    for (const part of [tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder]) limitGrowth(part);
    return { tokenizer, cost };
  } catch (error) {
    if (!isSparseDataError(error) || error.code === 'record-too-long') throw error;
    const { message, cause } = error as Error;
    return fail(`cannot be used (${cause instanceof Error ? cause.message : message})`, error);
  }
}
