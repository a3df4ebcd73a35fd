// The decoders of tokenizer.json, which make text of tokens, as the reference implementation has them. They need no
// vocabulary: any words can be shown.

import { lettersToBytes } from './byte-letters.ts';
import type { Fields } from './fields.ts';
import { readPattern } from './patterns.ts';
import { counted, replaceAllWithin } from '../tokenizer-limits.ts';

/** Joined, the results are the text. */
export type Decode = (tokens: readonly string[]) => readonly string[];

const types = [
  'Sequence',
  'ByteLevel',
  'ByteFallback',
  'WordPiece',
  'Metaspace',
  'BPEDecoder',
  'Fuse',
  'Strip',
  'Replace',
] as const;

/** @throws SparseDataError `bad-tokenizer` for a decoder that is not known here, or an invalid one. */
export function readDecoder(fields: Fields): Decode {
  const decode = readKind(fields);
  fields.end();
  return counted(decode, (tokens) => tokens.reduce((sum, { length }) => sum + length, 0));
}

function readKind(fields: Fields): Decode {
  switch (fields.oneOf('type', types)) {
    case 'Sequence': {
      const all = fields.objects('decoders').map(readDecoder);
      return (tokens) => all.reduce((decoded, decode) => decode(decoded), tokens);
    }
    case 'ByteLevel':
      for (const name of ['add_prefix_space', 'trim_offsets', 'use_regex']) fields.boolean(name, true);
      return (tokens) => [utf8.decode(Uint8Array.from(tokens.flatMap((token) => [...lettersToBytes(token)])))];
    case 'ByteFallback':
      return decodeByteTokens;
    case 'WordPiece': {
      const prefix = fields.string('prefix', '##');
      const cleanup = fields.boolean('cleanup', true) ? cleanUp : (text: string) => text;
      return (tokens) =>
        tokens.map((token, at) =>
          cleanup(at === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`),
        );
    }
    case 'Metaspace': {
      const replacement = fields.string('replacement');
      const adds = fields.optional('add_prefix_space', (name) => fields.boolean(name));
      const scheme = fields.string('prepend_scheme', adds === false ? 'never' : 'always');
      fields.boolean('split', true);
      fields.optional('str_rep', (name) => fields.string(name));
      return (tokens) =>
        tokens.map((token, at) => token.replaceAll(replacement, at === 0 && scheme !== 'never' ? '' : ' '));
    }
    case 'BPEDecoder': {
      const suffix = fields.string('suffix', '</w>');
      return (tokens) => tokens.map((token, at) => token.replaceAll(suffix, at === tokens.length - 1 ? '' : ' '));
    }
    case 'Fuse':
      return (tokens) => [tokens.join('')];
    case 'Strip': {
      const content = fields.string('content');
      const [start, stop] = [fields.count('start'), fields.count('stop')];
      if (content === '') return (tokens) => tokens;
      return (tokens) =>
        tokens.map((token) => {
          let [from, to] = [0, token.length];
          for (let n = 0; n < start && token.startsWith(content, from); n++) from += content.length;
          for (let n = 0; n < stop && to - content.length >= from && token.endsWith(content, to); n++)
            to -= content.length;
          return token.slice(from, to);
        });
    }
    case 'Replace': {
      const pattern = readPattern(fields, 'pattern');
      const content = fields.string('content');
      return (tokens) => tokens.map((token) => replaceAllWithin(token, pattern, content));
    }
  }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const strictUtf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const BYTE = /^<0x([0-9A-Fa-f]{2})>$/;

/** Tokens of bytes side by side become text, or, where they are not UTF-8, a U+FFFD each. */
const decodeByteTokens: Decode = (tokens) => {
  const result: string[] = [];
  let bytes: number[] = [];
  const endRun = (): void => {
    if (bytes.length === 0) return;
    try {
      result.push(strictUtf8.decode(Uint8Array.from(bytes)));
    } catch {
      result.push('\ufffd'.repeat(bytes.length));
    }
    bytes = [];
  };
  for (const token of tokens) {
    const byte = BYTE.exec(token)?.[1];
    if (byte !== undefined) {
      bytes.push(parseInt(byte, 16));
      continue;
    }
    endRun();
    result.push(token);
  }
  endRun();
  return result;
};

function cleanUp(text: string): string {
  return text
    .replaceAll(/ ([.?!,])/g, '$1')
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(' do not', " don't")
    .replaceAll(/ '(s|ve|re)/g, "'$1");
}
