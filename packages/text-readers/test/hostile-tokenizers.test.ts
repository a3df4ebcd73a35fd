// tokenizer.json files that ask for more time or memory than their size and the line allow.

import { isSparseDataError } from '@vastmax/sparse-data';
import { createSubwordTokenizer } from '@vastmax/text-readers';
import { describe, expect, it } from 'vitest';
import { bytePairs, unigram, wordPiece } from './small-tokenizers.ts';

function failureOf(json: object, line?: string): string {
  try {
    const tokenizer = createSubwordTokenizer(json, { name: 'here.json' });
    if (line === undefined) return 'opened';
    return `${[...tokenizer.tokenize(line)].length} tokens`;
  } catch (error) {
    if (!isSparseDataError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

const split = (pattern: string): object => ({
  ...bytePairs,
  pre_tokenizer: { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
});
const doubling = { type: 'Replace', pattern: { String: 'a' }, content: 'aa' };
/** Each byte of a letter beyond ASCII becomes a letter, half of them beyond ASCII. */
const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('a tokenizer.json from a stranger', () => {
  it('has a limit for the time of its regular expressions', () => {
    expect(failureOf(split('(a+)+$'), `${'a'.repeat(40)}b`)).toMatch(
      /^record-too-long: tokenize: here\.json: 41 characters take longer than 200[23] ms, the limit of 2000 ms and 0\.05 ms a character/,
    );
    expect(failureOf(split('(a+)+$'), 'aaaab')).toBe('5 tokens');
  });

  it('has that limit while it is opened, too', () => {
    const token = { id: 400, content: `${'a'.repeat(40)}b`, special: false, normalized: true };
    const normalizer = { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' };
    expect(failureOf({ ...bytePairs, normalizer, added_tokens: [token] })).toMatch(
      /^record-too-long: createSubwordTokenizer: here\.json: \d+ characters take longer than/,
    );
  });

  it('has a limit for the growth of a line, in each of its parts', () => {
    const grown = /^record-too-long: tokenize: a line grows by more than 65600 characters/;
    expect(
      failureOf({ ...bytePairs, normalizer: { type: 'Sequence', normalizers: times(30, doubling) } }, 'a'),
    ).toMatch(grown);
    expect(
      failureOf({ ...bytePairs, pre_tokenizer: { type: 'Sequence', pretokenizers: times(30, bytes) } }, 'é'),
    ).toMatch(grown);
    expect(
      failureOf(
        { ...bytePairs, normalizer: { type: 'Replace', pattern: { Regex: '' }, content: 'b'.repeat(1e5) } },
        'a',
      ),
    ).toMatch(grown);
    expect(
      failureOf(
        {
          ...bytePairs,
          normalizer: { type: 'Sequence', normalizers: times(1000, { type: 'Prepend', prepend: 'b'.repeat(1000) }) },
        },
        'a',
      ),
    ).toMatch(grown);
    const decoder = {
      type: 'Sequence',
      decoders: [...times(30, { ...doubling, pattern: { String: 'l' }, content: 'll' }), { type: 'Fuse' }],
    };
    expect(() => createSubwordTokenizer({ ...bytePairs, decoder }).detokenize(['low'])).toThrow(
      expect.objectContaining({ code: 'record-too-long' }),
    );
    // Ten steps that double what is there once.
    const tenfold = times(10, { ...doubling, content: 'b' });
    expect(failureOf({ ...bytePairs, normalizer: { type: 'Sequence', normalizers: tenfold } }, 'aaa')).toBe('3 tokens');
  });

  it('cannot double its tokens by templates', () => {
    const single = times(2, { Sequence: { id: 'A', type_id: 0 } });
    const processors = times(30, { type: 'TemplateProcessing', single, pair: [], special_tokens: {} });
    expect(failureOf({ ...bytePairs, post_processor: { type: 'Sequence', processors } })).toMatch(
      /^bad-tokenizer: .* has 2 texts in its template of a single one/,
    );
  });

  it('may have any ids: nothing is as long as the largest', () => {
    const { model } = bytePairs as { readonly model: { readonly vocab: object } };
    const vocab = Object.fromEntries(Object.keys(model.vocab).map((token, at) => [token, 4e9 + at]));
    expect(failureOf({ ...bytePairs, model: { ...model, vocab } }, 'low')).toBe(failureOf(bytePairs, 'low'));
  });

  it('strips and replaces long runs in a time that grows as the line', () => {
    const spaces = ' '.repeat(1_000_000);
    const normalizer = { type: 'Strip', strip_left: true, strip_right: true };
    expect(failureOf({ ...wordPiece, normalizer }, `un${spaces}un`)).toBe('2 tokens');
  });

  it('divides a text by a unigram vocabulary of nested tokens in steps of its length times the longest', () => {
    const nested = Array.from({ length: 600 }, (_, at) => ['a'.repeat(at + 1), -1]);
    const { model } = unigram as { readonly model: object };
    const json = { ...unigram, pre_tokenizer: null, model: { ...model, vocab: [['<unk>', 0], ...nested] } };
    expect(failureOf(json, 'a'.repeat(20_000))).toBe('34 tokens');
    expect(failureOf(json, 'aaa')).toBe('1 tokens');
  });

  it.each([
    ['an id that is no number', { added_tokens: [{ id: {}, content: 'x' }] }, 'has id {}; a number is needed'],
    ['an added token without content', { added_tokens: [{ id: 1 }] }, 'has content undefined; a string is needed'],
    [
      'pieces of no length',
      { pre_tokenizer: { type: 'FixedLength', length: 0 } },
      'has length 0; at least 1 is needed',
    ],
    [
      'a pattern of a million characters',
      { normalizer: { type: 'Replace', pattern: { Regex: 'a'.repeat(1e6) }, content: '' } },
      'at most 16384',
    ],
    ['no vocabulary', { model: { type: 'BPE', merges: [] } }, 'has no vocab'],
    ['no merges', { model: { type: 'BPE', vocab: { a: 0 } } }, 'has merges undefined; an array is needed'],
    ['an unknown step', { normalizer: { type: 'Shuffle' } }, 'has type "Shuffle"; what is known here is'],
  ])('is refused for %s', (_, changed, message) => {
    const failure = failureOf({ ...bytePairs, ...changed });
    expect(failure).toMatch(/^bad-tokenizer: createSubwordTokenizer: here\.json:? /);
    expect(failure).toContain(message);
  });

  it('is refused for an unknown token that is none, when a word is unknown', () => {
    const { model } = wordPiece as { readonly model: object };
    expect(failureOf({ ...wordPiece, model: { ...model, unk_token: 'nowhere' } }, 'un zebra')).toMatch(
      /^unknown-token: .*here\.json: model has no token for "zebra", and its unk_token is "nowhere", which it lacks/,
    );
  });

  it('is refused for steps that are nested without end', () => {
    let normalizer: object = { type: 'NFC' };
    for (let depth = 0; depth < 20_000; depth++) normalizer = { type: 'Sequence', normalizers: [normalizer] };
    expect(failureOf({ ...wordPiece, normalizer })).toContain('nested deeper than 32');
  });
});
