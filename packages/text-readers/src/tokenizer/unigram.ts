// The model `Unigram` (Kudo 2018, arXiv:1804.10959): of all ways to divide a text, the one whose tokens have the
// largest sum of scores (Viterbi). A character that no token begins with costs 10 more than the rarest token; such
// characters side by side are one unknown token, or, with byte_fallback, the tokens of their bytes. That last part is
// what @huggingface/tokenizers lacks; it also gives unknown text as it is in place of the unknown token, and gives the
// unknown token a score of its own.

import { SparseDataError } from '@vastmax/sparse-data';
import { shown, type Fields } from './fields.ts';
import { byteToken, checkByteTokens, type Model } from './model.ts';

const UNKNOWN_PENALTY = 10;

/** A node of a tree of characters. */
interface TrieNode {
  readonly children: Map<string, TrieNode>;
  /** Of the token that ends here. */
  score?: number;
  /** Whether that is the unknown token, which a text may have as it is. */
  isUnknown?: boolean;
}

export function readUnigram(fields: Fields): Model {
  const entries = fields.list('vocab').map((entry, at) => {
    const [token, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof token !== 'string' || typeof score !== 'number')
      throw fields.error(`has vocab[${at}] ${shown(entry)}; a token and its score are needed`);
    return { token, score };
  });
  const ids = new Map(entries.map(({ token }, id) => [token, id]));
  const unknownId = fields.optional('unk_id', (name) => fields.count(name));
  const unknown = unknownId === undefined ? undefined : entries[unknownId]?.token;
  if (unknownId !== undefined && unknown === undefined)
    throw fields.error(`has unk_id ${unknownId}, but ${entries.length} tokens`);
  const byteFallback = fields.optional('byte_fallback', (name) => fields.boolean(name)) ?? false;
  if (byteFallback) checkByteTokens(ids, fields);
  const root: TrieNode = { children: new Map() };
  // The last of equal tokens counts.
  for (const { token, score } of entries) insert(root, token, score, token === unknown);
  const unknownScore = entries.reduce((least, { score }) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
  const encoder = new TextEncoder();

  return {
    ids,
    tokenize: (piece) =>
      divide(piece, root, unknownScore, unknown !== undefined).flatMap((part) => {
        if (ids.has(part)) return [part];
        if (byteFallback) return Array.from(encoder.encode(part), byteToken);
        if (unknown !== undefined) return [unknown];
        throw new SparseDataError(
          'unknown-token',
          `createSubwordTokenizer: ${fields.where} has no token for ${JSON.stringify(part.slice(0, 60))}, and no unk_id`,
        );
      }),
  };
}

function insert(root: TrieNode, token: string, score: number, isUnknown: boolean): void {
  let node = root;
  for (const character of token) {
    let child = node.children.get(character);
    if (child === undefined) node.children.set(character, (child = { children: new Map() }));
    node = child;
  }
  if (token === '') return;
  node.score = score;
  node.isUnknown = isUnknown;
}

/** The parts of a text. @param fuses whether unknown characters side by side are one part. */
function divide(text: string, root: TrieNode, unknownScore: number, fuses: boolean): string[] {
  const characters = [...text];
  const length = characters.length;
  /** Of the best way to the end of each character. */
  const best = new Float64Array(length + 1).fill(-Infinity);
  const starts = new Int32Array(length + 1).fill(-1);
  const areUnknown = new Uint8Array(length + 1);
  best[0] = 0;
  const offer = (start: number, end: number, score: number, isUnknown: boolean): void => {
    const sum = best[start]! + score;
    if (starts[end] !== -1 && !(sum > best[end]!)) return;
    best[end] = sum;
    starts[end] = start;
    areUnknown[end] = isUnknown ? 1 : 0;
  };
  for (let start = 0; start < length; start++) {
    let isKnown = false;
    let node: TrieNode | undefined = root;
    for (let end = start; end < length; end++) {
      node = node.children.get(characters[end]!);
      if (node === undefined) break;
      if (node.score === undefined) continue;
      isKnown ||= end === start;
      offer(start, end + 1, node.score, node.isUnknown === true);
    }
    if (!isKnown) offer(start, start + 1, unknownScore, true);
  }
  const parts: string[] = [];
  for (let end = length; end > 0;) {
    let start = starts[end]!;
    if (fuses && areUnknown[end] === 1) while (start > 0 && areUnknown[start] === 1) start = starts[start]!;
    parts.push(characters.slice(start, end).join(''));
    end = start;
  }
  return parts.reverse();
}
