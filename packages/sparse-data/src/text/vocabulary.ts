import { show, SparseDataError } from '../errors.ts';

/** The tokens of a vocabulary in order, and how often each was counted. */
export interface VocabularyContents {
  /** Token of each class, most frequent first, all distinct. */
  readonly tokens: readonly string[];
  /** Number of occurrences of each token: finite, at least 0, in descending order. */
  readonly counts: ArrayLike<number>;
  /** The token that replaces unknown tokens; undefined if there is none. */
  readonly unknownToken?: string | undefined;
}

/** The format of toJSON and vocabularyFromJSON. */
export interface VocabularyJSON {
  readonly format: 'vastmax-vocabulary';
  readonly version: 1;
  readonly unknownToken: string | null;
  readonly tokens: readonly string[];
  readonly counts: readonly number[];
}

/**
 * Tokens as classes 0 to size − 1 in descending order of frequency, which hierarchical, adaptive and sampled output
 * layers require. Immutable. idOf and tokenOf cost O(1).
 */
export class Vocabulary {
  readonly #tokens: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly counts: Float64Array;
  readonly unknownToken: string | undefined;
  readonly unknownId: number | undefined;

  /** @throws SparseDataError `bad-vocabulary` for invalid contents, or fewer than two tokens. */
  constructor(contents: VocabularyContents) {
    const { tokens, counts, unknownToken } = contents;
    if (tokens.length !== counts.length)
      throw bad(`Vocabulary: ${tokens.length} tokens but ${counts.length} counts; they must be equal`);
    if (tokens.length < 2) {
      throw bad(
        `Vocabulary: ${tokens.length === 0 ? 'no token' : `only the token ${show(tokens[0])}`}; at least 2 are needed to have something to predict`,
      );
    }
    const ids = new Map<string, number>();
    for (let id = 0; id < tokens.length; id++) {
      const token = tokens[id];
      const count = counts[id];
      if (typeof token !== 'string') throw bad(`Vocabulary: token ${id} is ${show(token)}; a string is needed`);
      if (ids.has(token))
        throw bad(
          `Vocabulary: token ${show(token)} is there twice, as ${String(ids.get(token))} and ${id}; tokens must be distinct`,
        );
      if (typeof count !== 'number' || !Number.isFinite(count) || count < 0) {
        throw bad(
          `Vocabulary: token ${id}, ${show(token)}, has the count ${show(count)}; a finite number of at least 0 is needed`,
        );
      }
      const before = id === 0 ? count : (counts[id - 1] as number);
      if (count > before)
        throw bad(
          `Vocabulary: counts rise from ${before} at token ${id - 1} to ${count} at ${id}; tokens are sorted by falling count`,
        );
      ids.set(token, id);
    }
    if (unknownToken !== undefined && !ids.has(unknownToken)) {
      throw bad(
        `Vocabulary: the unknown token ${show(unknownToken)} is not among the ${tokens.length} tokens; add it or leave unknownToken out`,
      );
    }
    this.#tokens = [...tokens];
    this.#ids = ids;
    this.counts = Float64Array.from(counts);
    this.unknownToken = unknownToken;
    this.unknownId = unknownToken === undefined ? undefined : ids.get(unknownToken);
  }

  get size(): number {
    return this.#tokens.length;
  }

  get tokens(): readonly string[] {
    return this.#tokens;
  }

  has(token: string): boolean {
    return this.#ids.has(token);
  }

  /** The class of a token; for an unknown token that of `unknownToken`, or undefined if there is none. */
  idOf(token: string): number | undefined {
    return this.#ids.get(token) ?? this.unknownId;
  }

  /** @throws SparseDataError `index-out-of-range` for an id that is not an integer in [0, size). */
  tokenOf(id: number): string {
    const token = this.#tokens[id];
    if (token === undefined) {
      throw new SparseDataError(
        'index-out-of-range',
        `Vocabulary.tokenOf: id is ${show(id)}, the size is ${this.size}; ids are integers 0..${this.size - 1}`,
      );
    }
    return token;
  }

  toJSON(): VocabularyJSON {
    return {
      format: 'vastmax-vocabulary',
      version: 1,
      unknownToken: this.unknownToken ?? null,
      tokens: this.#tokens,
      counts: [...this.counts],
    };
  }
}

/**
 * The vocabulary that toJSON wrote, from a parsed JSON value.
 * @throws SparseDataError `bad-vocabulary`; the message says which part is wrong.
 */
export function vocabularyFromJSON(value: unknown): Vocabulary {
  if (typeof value !== 'object' || value === null)
    throw bad(`vocabularyFromJSON: got ${show(value)}; an object as Vocabulary.toJSON writes it is needed`);
  const { format, version, unknownToken, tokens, counts } = value as Partial<Record<keyof VocabularyJSON, unknown>>;
  if (format !== 'vastmax-vocabulary')
    throw bad(`vocabularyFromJSON: format is ${show(format)}; "vastmax-vocabulary" is needed`);
  if (version !== 1) throw bad(`vocabularyFromJSON: version is ${show(version)}; this package reads version 1`);
  if (unknownToken !== null && typeof unknownToken !== 'string')
    throw bad(`vocabularyFromJSON: unknownToken is ${show(unknownToken)}; a string or null is needed`);
  if (!Array.isArray(tokens)) throw bad(`vocabularyFromJSON: tokens is ${show(tokens)}; an array of strings is needed`);
  if (!Array.isArray(counts)) throw bad(`vocabularyFromJSON: counts is ${show(counts)}; an array of numbers is needed`);
  return new Vocabulary({
    tokens: tokens as string[],
    counts: counts as number[],
    unknownToken: unknownToken ?? undefined,
  });
}

function bad(message: string): SparseDataError {
  return new SparseDataError('bad-vocabulary', message);
}
