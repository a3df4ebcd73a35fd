// What the models of tokenizer.json have in common.

import type { Fields } from './fields.ts';

export interface Model {
  /** Id of each token. */
  readonly ids: ReadonlyMap<string, number>;
  /** @throws SparseDataError `unknown-token` for a text that needs an unknown token which the model lacks */
  tokenize(piece: string): readonly string[];
}

/** The token of a byte, for characters that a vocabulary lacks. */
export const byteToken = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;

/** @throws SparseDataError `bad-tokenizer` for a vocabulary that lacks the token of a byte. */
export function checkByteTokens(ids: ReadonlyMap<string, number>, fields: Fields): void {
  for (let byte = 0; byte < 256; byte++) {
    if (!ids.has(byteToken(byte)))
      throw fields.error(`has byte_fallback, but no token ${byteToken(byte)}; one of each of the 256 bytes is needed`);
  }
}
