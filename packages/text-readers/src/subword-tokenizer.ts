import { Tokenizer } from '@huggingface/tokenizers';
import { SparseDataError, type NamedInput, type Tokenize } from '@vastmax/sparse-data';

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
 * @throws SparseDataError `bad-tokenizer` with the name, if the JSON is not a tokenizer or is of an unknown kind
 */
export function createSubwordTokenizer(json: unknown, options: SubwordTokenizerOptions = {}): SubwordTokenizer {
  const { name = 'input', config = {}, addSpecialTokens = false } = options;
  const tokenizer = open(json, config, name);
  return {
    tokenize: (line) => tokenizer.tokenize(line, { add_special_tokens: addSpecialTokens }),
    size: tokenizer.get_vocab(true).size,
    detokenize: (tokens) => {
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
    },
  };
}

function open(json: unknown, config: object, name: string): Tokenizer {
  const fail = (problem: string, cause?: unknown): never => {
    throw new SparseDataError(
      'bad-tokenizer',
      `createSubwordTokenizer: ${name} ${problem}; a tokenizer.json as Hugging Face writes it is needed`,
      { cause },
    );
  };
  const model: unknown = typeof json === 'object' && json !== null && 'model' in json ? json.model : undefined;
  if (json === null || typeof json !== 'object' || typeof model !== 'object' || model === null)
    return fail('has no model');
  try {
    return new Tokenizer(json, config);
  } catch (error) {
    return fail(`cannot be used (${error instanceof Error ? error.message : String(error)})`, error);
  }
}
