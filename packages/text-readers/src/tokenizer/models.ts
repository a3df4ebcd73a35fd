// The models of tokenizer.json, which divide a piece of text into tokens of a vocabulary. Byte pairs are merged by
// @huggingface/tokenizers; what comes of characters that its vocabulary lacks is decided here, since that library fuses
// them beyond the piece.

import { SparseDataError } from '@vastmax/sparse-data';
import { shown, type Fields } from './fields.ts';
import { createMerger } from './huggingface.ts';
import { byteToken, checkByteTokens, type Model } from './model.ts';
import { readUnigram } from './unigram.ts';

const types = ['BPE', 'Unigram', 'WordPiece', 'WordLevel'] as const;

/** @throws SparseDataError `bad-tokenizer` for a model that is not known here, or an invalid one. */
export function readModel(fields: Fields): Model {
  const model = readKind(fields);
  fields.end();
  return model;
}

function readKind(fields: Fields): Model {
  // Files of early versions do not say which model it is; the fields do.
  const inferred = fields.has('merges')
    ? 'BPE'
    : Array.isArray(fields.get('vocab'))
      ? 'Unigram'
      : fields.has('continuing_subword_prefix')
        ? 'WordPiece'
        : 'WordLevel';
  switch (fields.oneOf('type', types, inferred)) {
    case 'BPE':
      return readBytePairs(fields);
    case 'Unigram':
      return readUnigram(fields);
    case 'WordPiece':
      return readWordPiece(fields);
    case 'WordLevel': {
      const ids = readVocabulary(fields);
      const unknown = fields.string('unk_token');
      return { ids, tokenize: (piece) => [ids.has(piece) ? piece : known(unknown, ids, fields, piece)] };
    }
  }
}

function readVocabulary(fields: Fields): Map<string, number> {
  const vocabulary = fields.get('vocab');
  const ids = new Map<string, number>();
  if (typeof vocabulary !== 'object' || vocabulary === null || Array.isArray(vocabulary))
    throw fields.error('has no vocab; an object of tokens and their ids is needed');
  for (const [token, id] of Object.entries(vocabulary)) {
    if (!Number.isSafeInteger(id) || (id as number) < 0)
      throw fields.error(`has the id ${String(id)} of ${JSON.stringify(token)}; whole numbers from 0 on are needed`);
    ids.set(token, id as number);
  }
  return ids;
}

/** The unknown token, if the vocabulary has it. */
function known(token: string | undefined, ids: ReadonlyMap<string, number>, fields: Fields, piece: string): string {
  if (token !== undefined && ids.has(token)) return token;
  throw new SparseDataError(
    'unknown-token',
    `createSubwordTokenizer: ${fields.where} has no token for ${JSON.stringify(piece.slice(0, 60))}, and its unk_token is ${token === undefined ? 'not set' : `${JSON.stringify(token)}, which it lacks`}`,
  );
}

function readBytePairs(fields: Fields): Model {
  const ids = readVocabulary(fields);
  const dropout = fields.get('dropout') ?? 0;
  if (dropout !== 0)
    throw fields.error(
      `has dropout ${shown(dropout)}, with which a text has other tokens at each reading; set it to null`,
    );
  const unknown = fields.optional('unk_token', (name) => fields.string(name));
  const prefix = fields.optional('continuing_subword_prefix', (name) => fields.string(name)) ?? '';
  if (prefix !== '')
    throw fields.error(
      `has the continuing_subword_prefix ${JSON.stringify(prefix)}, which is known here for WordPiece only`,
    );
  const suffix = fields.optional('end_of_word_suffix', (name) => fields.string(name)) ?? '';
  const fuses = fields.optional('fuse_unk', (name) => fields.boolean(name)) ?? false;
  const ignoresMerges = fields.optional('ignore_merges', (name) => fields.boolean(name)) ?? false;
  const byteFallback = fields.optional('byte_fallback', (name) => fields.boolean(name)) ?? false;
  const merges = fields.list('merges').map((merge, at) => {
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    if (!Array.isArray(pair) || pair.length !== 2 || pair.some((part) => typeof part !== 'string'))
      throw fields.error(`has merge ${at} ${shown(merge)}; two tokens are needed`);
    const [first, second] = pair as [string, string];
    for (const token of [first, second, first + second]) {
      if (!ids.has(token))
        throw fields.error(`has merge ${at} of ${shown(pair)}, but no token ${JSON.stringify(token)}`);
    }
    return [first, second] as const;
  });
  if (byteFallback) checkByteTokens(ids, fields);
  const byteTokens = new Set(byteFallback ? Array.from({ length: 256 }, (_, byte) => byteToken(byte)) : []);
  const foreign = merges.find((pair) => pair.some((part) => byteTokens.has(part) || part === unknown));
  if (foreign !== undefined)
    throw fields.error(
      `merges ${JSON.stringify(foreign)}, with the token of a byte or of unknown characters, which is not known here`,
    );
  const merger = createMerger(ids, merges, suffix);
  const mergerWithin = suffix === '' ? merger : createMerger(ids, merges, '');
  /** A model without an unknown token passes over characters that it lacks, and merges what is on either side. */
  const mergeKnown = (piece: string): readonly string[] => {
    const characters = [...piece];
    const last = characters.length - 1;
    const isKnown = (character: string, at: number): boolean => ids.has(at === last ? character + suffix : character);
    const left = characters.filter(isKnown).join('');
    return isKnown(characters[last] ?? '', last) ? merger.bpe(left) : mergerWithin.bpe(left);
  };
  const encoder = new TextEncoder();
  return {
    ids,
    tokenize: (piece) => {
      if (ignoresMerges && ids.has(piece)) return [piece];
      if (unknown === undefined && !byteFallback) return mergeKnown(piece);
      const tokens: string[] = [];
      let isUnknown = false;
      for (const part of merger.bpe(piece)) {
        const wasUnknown = isUnknown;
        isUnknown = !ids.has(part);
        if (!isUnknown) {
          tokens.push(part);
        } else if (byteFallback) {
          for (const byte of encoder.encode(part)) tokens.push(byteToken(byte));
        } else if (!(fuses && wasUnknown)) {
          tokens.push(known(unknown, ids, fields, part));
        }
      }
      return tokens;
    },
  };
}

function readWordPiece(fields: Fields): Model {
  const ids = readVocabulary(fields);
  const unknown = fields.string('unk_token', '[UNK]');
  const prefix = fields.string('continuing_subword_prefix', '##');
  const longest = fields.count('max_input_chars_per_word', 100);
  const divide = (piece: string): readonly string[] | undefined => {
    const characters = [...piece];
    if (characters.length > longest) return undefined;
    const tokens: string[] = [];
    for (let start = 0; start < characters.length;) {
      let end = characters.length;
      let token = '';
      for (; end > start; end--) {
        token = (start === 0 ? '' : prefix) + characters.slice(start, end).join('');
        if (ids.has(token)) break;
      }
      if (end === start) return undefined;
      tokens.push(token);
      start = end;
    }
    return tokens;
  };
  return { ids, tokenize: (piece) => divide(piece) ?? [known(unknown, ids, fields, piece)] };
}
