/** Splits a line into tokens. */
export type Tokenize = (line: string) => Iterable<string>;

/**
 * Tokens between runs of Unicode white space: for text that is tokenised already, such as WikiText. Unlike \s in a
 * regular expression this does not count U+FEFF, which Unicode does not: WikiText-2 has it as a word.
 */
export function whitespaceTokens(line: string): string[] {
  return line.match(/\P{White_Space}+/gu) ?? [];
}

// A word starts with a letter or digit, goes on with letters, digits and combining marks, and may join further such
// parts by an apostrophe or a hyphen, or by a point or comma between digits. Anything else but white space is a token
// of its own, with its combining marks. No part can match in two ways, so the time is linear in the line.
const WORD_OR_MARK =
  /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:(?:['’\u2010\u2011-]|(?<=\p{N})[.,](?=\p{N}))[\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*|\P{White_Space}\p{M}*/gu;

export interface WordTokensOptions {
  /** Fold to lower case, independent of locale; default false. */
  readonly lowerCase?: boolean;
}

/**
 * Words (with inner apostrophes and hyphens: don't, well-being), numbers (1,000.5) and each punctuation mark as its own
 * token: `"Don't," he said.` gives `"`, `Don't`, `,`, `"`, `he`, `said`, `.`. Unicode aware; linear in the length of
 * the line.
 */
export function wordTokens(line: string, options: WordTokensOptions = {}): string[] {
  return (options.lowerCase === true ? line.toLowerCase() : line).match(WORD_OR_MARK) ?? [];
}
